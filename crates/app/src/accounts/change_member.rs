//! Members are renamed, given other scopes, disabled and enabled, get another password, and are logged out.
//!
//! Never: a scope given, or an account taken over, by somebody who has less. Resetting a password and enabling a member open that member's scopes, so both
//! need all of them.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::accounts::password::check_password;
use voelgoed_domain::accounts::scope::{Scope, may_grant};
use voelgoed_domain::ids::{LoginId, MemberId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};

use super::ports::{Member, MemberChange, MemberLogin};
use crate::error::Result;
use crate::platform::Platform;

/// Who asks for a change.
#[derive(Debug, Clone, Copy)]
pub struct Granter<'a> {
    /// Their organization.
    pub organization: OrganizationId,
    /// What they may.
    pub scopes: &'a [Scope],
    /// Which member they are, where they are no key.
    pub member: Option<MemberId>,
}

impl Granter<'_> {
    fn is(&self, member: MemberId) -> bool {
        self.member == Some(member)
    }
}

/// What is changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct MemberUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Other scopes.
    pub scopes: Option<Vec<Scope>>,
    /// Whether they may log in.
    pub disabled: Option<bool>,
}

/// Changes a member.
///
/// # Errors
/// `invalid_request`, `missing_scope`, `not_found`, `last_administrator`.
pub async fn change_member(
    platform: &Platform,
    granter: Granter<'_>,
    id: MemberId,
    update: MemberUpdate,
) -> Result<Member> {
    let (before, _) = read(platform, granter.organization, id).await?;
    let name = update.name.map(|name| identity::name("name", &name)).transpose()?;
    let scopes = update.scopes.map(|mut scopes| {
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    });
    if let Some(scopes) = &scopes {
        let added: Vec<Scope> = scopes.iter().copied().filter(|scope| !before.scopes.contains(scope)).collect();
        may_grant(granter.scopes, &added)?;
    }
    if update.disabled == Some(false) && before.disabled_at.is_some() {
        may_grant(granter.scopes, scopes.as_ref().unwrap_or(&before.scopes))?;
    }
    let change =
        MemberChange { name, scopes, disabled: update.disabled, by_itself: granter.is(id), password_hash: None };
    write(platform, granter.organization, id, change).await
}

/// Gives a member another password, and ends all of their logins.
///
/// # Errors
/// `invalid_request`, `missing_scope` where the member has more than whoever resets, `not_found`, `overloaded`.
pub async fn reset_password(
    platform: &Platform,
    granter: Granter<'_>,
    id: MemberId,
    password: String,
) -> Result<Member> {
    let (member, _) = read(platform, granter.organization, id).await?;
    may_grant(granter.scopes, &member.scopes)?;
    set_password(platform, &member, password).await
}

/// Members change their own password, for which the old one is asked; all of their logins end.
///
/// # Errors
/// `invalid_request`, `wrong_password`, `overloaded`.
pub async fn change_own_password(
    platform: &Platform,
    organization: OrganizationId,
    id: MemberId,
    old: String,
    new: String,
) -> Result<Member> {
    let (member, hash) = read(platform, organization, id).await?;
    if !platform.passwords.verify(old, Some(hash)).await? {
        return Err(Refusal::new(Code::WrongPassword, "The old password is wrong; nothing was changed.")
            .with(|evidence| evidence.field = Some("old_password".to_owned()))
            .into());
    }
    set_password(platform, &member, new).await
}

/// The logins of a member.
///
/// # Errors
/// `not_found`.
pub async fn logins(platform: &Platform, organization: OrganizationId, id: MemberId) -> Result<Vec<MemberLogin>> {
    read(platform, organization, id).await?;
    Ok(platform.accounts.logins(organization, id, platform.environment.now()).await?)
}

/// Ends one login of a member, or all of them.
///
/// # Errors
/// `not_found`.
pub async fn end_logins(
    platform: &Platform,
    organization: OrganizationId,
    id: MemberId,
    login: Option<LoginId>,
) -> Result<()> {
    read(platform, organization, id).await?;
    let ended = platform.accounts.end_logins(organization, id, login).await?;
    if login.is_some() && ended == 0 {
        return Err(Refusal::not_found().into());
    }
    platform.credentials.changed(organization);
    Ok(())
}

/// Whether the password may be chosen by this member.
pub(super) async fn check(platform: &Platform, member: &Member, password: &str) -> Result<()> {
    let organization = platform.accounts.read_organization(member.organization).await?;
    let known = organization.map_or_else(Vec::new, |organization| vec![organization.name, organization.slug]);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Ok(check_password(password, &member.name, &member.email, &known)?)
}

async fn set_password(platform: &Platform, member: &Member, password: String) -> Result<Member> {
    check(platform, member, &password).await?;
    let password_hash = Some(platform.passwords.hash(password).await?);
    write(platform, member.organization, member.id, MemberChange { password_hash, ..MemberChange::default() }).await
}

async fn read(platform: &Platform, organization: OrganizationId, id: MemberId) -> Result<(Member, String)> {
    let found = platform.accounts.read_member(organization, id).await?;
    Ok(found.ok_or_else(Refusal::not_found)?)
}

async fn write(
    platform: &Platform,
    organization: OrganizationId,
    id: MemberId,
    change: MemberChange,
) -> Result<Member> {
    let now = platform.environment.now();
    let member = platform.accounts.change_member(organization, id, change, now).await??;
    platform.credentials.changed(organization);
    Ok(member)
}
