//! An organizer adds a person who may log in to the console.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::accounts::scope::{Scope, may_grant};

use super::audit;
use super::change_member::{Granter, check};
use super::ports::Member;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

/// A person to add.
pub struct NewMember {
    /// Their name.
    pub name: String,
    /// What they log in with.
    pub email: String,
    /// What they choose.
    pub password: String,
    /// What they may do.
    pub scopes: Vec<Scope>,
}

/// Writes the member.
///
/// # Errors
/// `invalid_request`, `missing_scope` where the granter lacks one of the scopes, `already_exists` (email), `quota_reached`, `overloaded`.
pub async fn create_member(
    platform: &Platform,
    granter: Granter<'_>,
    new: NewMember,
    idempotent: Option<Idempotent<'_, Member>>,
) -> Result<Created<Member>> {
    let (name, email) = (identity::name("name", &new.name)?, identity::email("email", &new.email)?);
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    may_grant(granter.scopes, &scopes)?;
    let member = Member {
        id: fresh(&*platform.environment),
        organization: granter.organization,
        name,
        email,
        scopes,
        created_at: platform.environment.now(),
        disabled_at: None,
    };
    check(platform, &member, &new.password).await?;
    audit::subject(member.id);
    let hash = platform.passwords.hash(new.password).await?;
    let record = record_of(idempotent.as_ref(), &member, member.created_at)?;
    let created = platform.accounts.create_member(member.clone(), hash, record).await??;
    Ok(created.map(|()| member))
}
