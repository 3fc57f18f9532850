//! Refuses callers that lack a scope, and granters that would grant a scope that they lack.

use super::scope::Scope;
use crate::refusal::{Code, Refusal};

/// Checks that a caller with the scopes `granted` has `scope`.
///
/// # Errors
/// `missing_scope`.
pub fn require_scope(granted: &[Scope], scope: Scope) -> Result<(), Refusal> {
    if granted.contains(&scope) { Ok(()) } else { Err(missing_scope(scope)) }
}

/// Checks that a granter with the scopes `own` has every scope that a member or a key would get.
///
/// # Errors
/// `missing_scope` with the first scope that the granter lacks.
pub fn check_grant(own: &[Scope], wanted: &[Scope]) -> Result<(), Refusal> {
    wanted.iter().try_for_each(|scope| require_scope(own, *scope))
}

fn missing_scope(scope: Scope) -> Refusal {
    Refusal::new(
        Code::MissingScope,
        format!("This needs the scope {scope}. Ask an administrator of the organization for it."),
    )
}

#[cfg(test)]
mod tests {
    use super::{Scope, check_grant};
    use crate::refusal::Code;

    #[test]
    fn scope_that_the_granter_lacks_cannot_be_granted() {
        for had in 0..1_u32 << Scope::ALL.len() {
            let set = |bits: u32| -> Vec<Scope> {
                let chosen = Scope::ALL.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                chosen.map(|(_, scope)| *scope).collect()
            };
            for wanted in 0..1_u32 << Scope::ALL.len() {
                let granted = check_grant(&set(had), &set(wanted));
                assert_eq!(granted.is_ok(), wanted & !had == 0, "{had:b} gives {wanted:b}");
                assert!(granted.err().is_none_or(|refusal| refusal.code == Code::MissingScope));
            }
        }
    }
}
