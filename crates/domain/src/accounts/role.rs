//! Maps the role of a member to the scopes that this member has.
//!
//! To add a role: a line in [`Role`], its scopes, its row in the test.

use super::scope::Scope;
use crate::text_enum::text_enum;

text_enum! {
    /// The role of a member.
    "role" Role {
        /// Every scope.
        Owner = "owner",
        /// Every scope except members and keys.
        Manager = "manager",
        /// Sales, cancellations, refunds and reports.
        BoxOffice = "box_office",
        /// Scanning only.
        Door = "door",
    }
}

impl Role {
    /// The scopes of this role, in the order of [`Scope::ALL`].
    #[must_use]
    pub const fn scopes(self) -> &'static [Scope] {
        use Scope::{Catalog, Finance, Integrations, Reports, Sales, Scanning};
        match self {
            Self::Owner => Scope::ALL,
            Self::Manager => &[Catalog, Sales, Finance, Integrations, Scanning, Reports],
            Self::BoxOffice => &[Sales, Reports],
            Self::Door => &[Scanning],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, Scope};

    #[test]
    fn each_role_has_exactly_its_scopes() {
        for (role, expected) in [
            (Role::Owner, "admin catalog sales finance integrations scanning reports"),
            (Role::Manager, "catalog sales finance integrations scanning reports"),
            (Role::BoxOffice, "sales reports"),
            (Role::Door, "scanning"),
        ] {
            let scopes: Vec<_> = role.scopes().iter().map(|scope| scope.as_str()).collect();
            assert_eq!(scopes.join(" "), expected, "{role}");
            assert!(role.scopes().is_sorted());
        }
        assert_eq!(Role::ALL.len(), 4);
    }

    #[test]
    fn only_owner_has_the_scope_admin() {
        for role in Role::ALL {
            assert_eq!(role.scopes().contains(&Scope::Admin), *role == Role::Owner, "{role}");
        }
    }
}
