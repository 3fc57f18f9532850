//! An organizer makes a key for the API; its secret is shown once.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::accounts::scope::{Scope, may_grant};
use voelgoed_domain::refusal::Refusal;

use super::audit;
use super::change_member::Granter;
use super::ports::ApiKey;
use super::secret::{SecretKind, fresh_secret};
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;
use crate::token::fingerprint;

/// A key with its secret, as it is answered once.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The key.
    pub key: ApiKey,
    /// `vgk_…`
    pub secret: String,
}

/// Writes the key.
///
/// # Errors
/// `invalid_request`, `missing_scope` where the granter lacks one of the scopes, `quota_reached`.
pub async fn create_api_key(
    platform: &Platform,
    granter: Granter<'_>,
    name: &str,
    mut scopes: Vec<Scope>,
    idempotent: Option<Idempotent<'_, NewApiKey>>,
) -> Result<Created<NewApiKey>> {
    let name = identity::name("name", name)?;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Refusal::invalid("scopes", "Name at least one scope.").into());
    }
    may_grant(granter.scopes, &scopes)?;
    let created_at = platform.environment.now();
    let key = ApiKey {
        id: fresh(&*platform.environment),
        organization: granter.organization,
        name,
        scopes,
        created_at,
        revoked_at: None,
    };
    let new = NewApiKey { key, secret: fresh_secret(&platform.master, &*platform.environment, SecretKind::Api) };
    audit::subject(new.key.id);
    let record = record_of(idempotent.as_ref(), &new, created_at)?;
    let created = platform.accounts.create_api_key(new.key.clone(), fingerprint(&new.secret), record).await??;
    Ok(created.map(|()| new))
}
