//! Changes the name and scopes of a member, and disables or enables the member.
//!
//! Never: a scope granted by a caller that lacks it. Enabling a member gives access to that member's scopes, so the caller needs all of them.

use voelgoed_domain::accounts::names;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::check_grant;
use voelgoed_domain::ids::{MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use super::Accounts;
use super::granter::Granter;
use super::ports::{Member, MemberChange};
use crate::error::CommandResult;

/// A requested change of a member; absent fields stay.
#[derive(Debug, Clone, Default)]
pub struct MemberUpdate {
    /// The new name.
    pub name: Option<String>,
    /// The new scopes.
    pub scopes: Option<Vec<Scope>>,
    /// Whether the member may not log in.
    pub disabled: Option<bool>,
}

impl Accounts {
    /// Changes a member.
    ///
    /// # Errors
    /// `invalid_request`, `missing_scope`, `not_found`, `last_administrator`.
    pub async fn change_member(
        &self,
        granter: Granter<'_>,
        id: MemberId,
        update: MemberUpdate,
    ) -> CommandResult<Member> {
        let (before, _) = self.read_member(granter.organization, id).await?;
        let name = update.name.map(|name| names::display_name("name", &name)).transpose()?;
        let scopes = update.scopes.map(|mut scopes| {
            scopes.sort_unstable();
            scopes.dedup();
            scopes
        });
        if let Some(scopes) = &scopes {
            let added: Vec<Scope> = scopes.iter().copied().filter(|scope| !before.scopes.contains(scope)).collect();
            check_grant(granter.scopes, &added)?;
        }
        if update.disabled == Some(false) && before.disabled_at.is_some() {
            check_grant(granter.scopes, scopes.as_ref().unwrap_or(&before.scopes))?;
        }
        let change =
            MemberChange { name, scopes, disabled: update.disabled, by_itself: granter.is(id), password_hash: None };
        self.write_member(granter.organization, id, change).await
    }

    /// The member and the hash of the member's password.
    pub(super) async fn read_member(
        &self,
        organization: OrganizationId,
        id: MemberId,
    ) -> CommandResult<(Member, String)> {
        let found = self.store.read_member(organization, id).await?;
        Ok(found.ok_or_else(Refusal::not_found)?)
    }

    /// Writes a change of a member, and marks the organization's cached credentials as changed.
    pub(super) async fn write_member(
        &self,
        organization: OrganizationId,
        id: MemberId,
        change: MemberChange,
    ) -> CommandResult<Member> {
        let now = self.context.now();
        let member = self.store.change_member(organization, id, change, now).await??;
        self.credentials.revalidate(organization);
        Ok(member)
    }
}
