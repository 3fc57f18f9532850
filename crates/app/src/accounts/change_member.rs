//! Changes members: name, scopes, disabled or not, password, logins.
//!
//! Never: a scope granted by a caller that lacks it. Resetting a password and enabling a member give access to that member's scopes, so both need all of
//! them.

use voelgoed_domain::accounts::names;
use voelgoed_domain::accounts::password_strength::check_password;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::check_grant;
use voelgoed_domain::ids::{LoginId, MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};

use super::Accounts;
use super::ports::{Member, MemberChange, MemberLogin};
use crate::error::CommandResult;

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
    fn is(&self, member: MemberId) -> bool {
        self.member == Some(member)
    }
}

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
        let (before, _) = self.read(granter.organization, id).await?;
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
        self.write(granter.organization, id, change).await
    }

    /// Sets a member's password and ends all logins of the member.
    ///
    /// # Errors
    /// `invalid_request`, `missing_scope` if the member has a scope that the granter lacks, `not_found`, `overloaded`.
    pub async fn reset_password(&self, granter: Granter<'_>, id: MemberId, password: String) -> CommandResult<Member> {
        let (member, _) = self.read(granter.organization, id).await?;
        check_grant(granter.scopes, &member.scopes)?;
        self.set_password(&member, password).await
    }

    /// Changes a member's own password after checking the old one, and ends all logins of the member.
    ///
    /// # Errors
    /// `invalid_request`, `wrong_password`, `overloaded`.
    pub async fn change_own_password(
        &self,
        organization: OrganizationId,
        id: MemberId,
        old: String,
        new: String,
    ) -> CommandResult<Member> {
        let (member, hash) = self.read(organization, id).await?;
        if !self.passwords.verify(old, Some(hash)).await? {
            return Err(Refusal::new(Code::WrongPassword, "The old password is wrong; nothing was changed.")
                .with(|evidence| evidence.field = Some("old_password".to_owned()))
                .into());
        }
        self.set_password(&member, new).await
    }

    /// The active logins of a member.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn logins(&self, organization: OrganizationId, id: MemberId) -> CommandResult<Vec<MemberLogin>> {
        self.read(organization, id).await?;
        Ok(self.store.logins(organization, id, self.context.now()).await?)
    }

    /// Ends one login of a member, or all of them.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn end_logins(
        &self,
        organization: OrganizationId,
        id: MemberId,
        login: Option<LoginId>,
    ) -> CommandResult<()> {
        self.read(organization, id).await?;
        let ended = self.store.end_logins(organization, id, login).await?;
        if login.is_some() && ended == 0 {
            return Err(Refusal::not_found().into());
        }
        self.credentials.revalidate(organization);
        Ok(())
    }

    /// Refuses a password that is too weak for this member.
    pub(super) async fn check_new_password(&self, member: &Member, password: &str) -> CommandResult<()> {
        let organization = self.store.read_organization(member.organization).await?;
        let known = organization.map_or_else(Vec::new, |organization| vec![organization.name, organization.slug]);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Ok(check_password(password, &member.name, &member.email, &known)?)
    }

    async fn set_password(&self, member: &Member, password: String) -> CommandResult<Member> {
        self.check_new_password(member, &password).await?;
        let password_hash = Some(self.passwords.hash(password).await?);
        self.write(member.organization, member.id, MemberChange { password_hash, ..MemberChange::default() }).await
    }

    async fn read(&self, organization: OrganizationId, id: MemberId) -> CommandResult<(Member, String)> {
        let found = self.store.read_member(organization, id).await?;
        Ok(found.ok_or_else(Refusal::not_found)?)
    }

    async fn write(&self, organization: OrganizationId, id: MemberId, change: MemberChange) -> CommandResult<Member> {
        let now = self.context.now();
        let member = self.store.change_member(organization, id, change, now).await??;
        self.credentials.revalidate(organization);
        Ok(member)
    }
}
