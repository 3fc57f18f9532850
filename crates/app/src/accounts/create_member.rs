//! An organizer adds a person who may log in to the console.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::accounts::password::check_password;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::OrganizationId;

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
/// `invalid_request`, `already_exists` (email), `overloaded`.
pub async fn create_member(
    platform: &Platform,
    organization: OrganizationId,
    new: NewMember,
    idempotent: Option<Idempotent<'_, Member>>,
) -> Result<Created<Member>> {
    let (name, email) = (identity::name("name", &new.name)?, identity::email("email", &new.email)?);
    check_password(&new.password, &name, &email)?;
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let member = Member {
        id: fresh(&*platform.environment),
        organization,
        name,
        email,
        scopes,
        created_at: platform.environment.now(),
    };
    let hash = platform.passwords.hash(new.password).await?;
    let record = record_of(idempotent.as_ref(), &member, member.created_at)?;
    let created = platform.accounts.create_member(member.clone(), hash, record).await??;
    Ok(created.map(|()| member))
}
