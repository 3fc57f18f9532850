//! What an API key or a member may do.
//!
//! To add a scope: one line in [`Scope`], and name it in the routes that ask for it.

use crate::named::named;
use crate::refusal::Refusal;

named! {
    /// One permission; a key carries a set of them.
    "scope" Scope {
        /// Members, keys and the audit log.
        Admin = "admin",
        /// Venues, layouts, events, prices, blocks.
        Catalog = "catalog",
        /// Orders, cancellations, refunds.
        Sales = "sales",
        /// Ledger, payouts.
        Finance = "finance",
        /// Webhooks.
        Integrations = "integrations",
        /// Gates, devices, scans.
        Scanning = "scanning",
        /// Reports and exports.
        Reports = "reports",
    }
}

/// Whether somebody with the scopes `had` may do what needs `scope`.
///
/// # Errors
/// `missing_scope`.
pub fn need(had: &[Scope], scope: Scope) -> Result<(), Refusal> {
    if had.contains(&scope) { Ok(()) } else { Err(Refusal::missing_scope(scope)) }
}

/// Whether somebody with the scopes `had` may give `wanted` to a member or a key: nobody gives more than they have.
///
/// # Errors
/// `missing_scope` with the first scope that is not had.
pub fn may_grant(had: &[Scope], wanted: &[Scope]) -> Result<(), Refusal> {
    wanted.iter().try_for_each(|scope| need(had, *scope))
}

impl Scope {
    /// The scopes that `texts` name, each once, in the order of [`Scope::ALL`].
    ///
    /// # Errors
    /// [`UnknownName`](crate::named::UnknownName) for the first that is none.
    pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, crate::named::UnknownName> {
        let mut scopes = texts.into_iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        scopes.sort_unstable();
        scopes.dedup();
        Ok(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, may_grant};
    use crate::refusal::Code;

    #[test]
    fn nobody_gives_more_than_they_have() {
        for had in 0..1_u32 << Scope::ALL.len() {
            let set = |bits: u32| -> Vec<Scope> {
                let chosen = Scope::ALL.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                chosen.map(|(_, scope)| *scope).collect()
            };
            for wanted in 0..1_u32 << Scope::ALL.len() {
                let granted = may_grant(&set(had), &set(wanted));
                assert_eq!(granted.is_ok(), wanted & !had == 0, "{had:b} gives {wanted:b}");
                assert!(granted.err().is_none_or(|refusal| refusal.code == Code::MissingScope));
            }
        }
    }

    #[test]
    fn scopes_are_a_set_in_order() {
        for (texts, expected) in [
            (&[][..], Some("")),
            (&["sales"][..], Some("sales")),
            (&["reports", "admin", "sales", "admin"][..], Some("admin sales reports")),
            (&["sales", "Sales"][..], None),
            (&["all"][..], None),
        ] {
            let got = Scope::parse_all(texts.iter().copied()).ok();
            let shown = got.map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
            assert_eq!(shown.as_deref(), expected, "{texts:?}");
        }
    }
}
