//! Defines the caller that changes members or grants scopes; a caller grants only scopes that it has.

use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{MemberId, OrganizationId};

/// The caller that changes members or grants scopes.
#[derive(Debug, Clone, Copy)]
pub struct Granter<'a> {
    /// The caller's organization.
    pub organization: OrganizationId,
    /// The caller's scopes.
    pub scopes: &'a [Scope],
    /// The calling member; none for an API key.
    pub member: Option<MemberId>,
}

impl Granter<'_> {
    pub(super) fn is(&self, member: MemberId) -> bool {
        self.member == Some(member)
    }
}
