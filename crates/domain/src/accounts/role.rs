//! What people of an organization are, and what they may therefore do.
//!
//! Never: a role that may do what its name does not say. To add a role: a line in [`Role`], its scopes, its row in the test.

use super::scope::Scope;
use crate::named::named;

named! {
    /// What a member is.
    "role" Role {
        /// Everything.
        Owner = "owner",
        /// Everything but members and keys.
        Manager = "manager",
        /// Sells, cancels, refunds, and sees reports.
        BoxOffice = "box_office",
        /// Scans.
        Door = "door",
    }
}

impl Role {
    /// What such a member may do, in the order of [`Scope::ALL`].
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
    fn who_may_do_what() {
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
    fn only_an_owner_may_make_others() {
        for role in Role::ALL {
            assert_eq!(role.scopes().contains(&Scope::Admin), *role == Role::Owner, "{role}");
        }
    }
}
