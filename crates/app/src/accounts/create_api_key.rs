//! Creates an API key, whose secret is shown once.

use voelgoed_domain::accounts::names;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::check_grant;
use voelgoed_domain::refusal::Refusal;

use super::Accounts;
use super::audit;
use super::granter::Granter;
use super::ports::ApiKey;
use super::secret::{SecretKind, new_secret};
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::token::fingerprint;

/// A new key with its secret.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The key.
    pub key: ApiKey,
    /// `vgk_…`, shown once.
    pub secret: String,
}

impl Accounts {
    /// Writes the key.
    ///
    /// # Errors
    /// `invalid_request`, `missing_scope` if the granter lacks one of the scopes, `quota_reached`.
    pub async fn create_api_key(
        &self,
        granter: Granter<'_>,
        name: &str,
        mut scopes: Vec<Scope>,
        idempotent: Option<Idempotent<'_, NewApiKey>>,
    ) -> CommandResult<Created<NewApiKey>> {
        let name = names::display_name("name", name)?;
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(Refusal::invalid("scopes", "Name at least one scope.").into());
        }
        check_grant(granter.scopes, &scopes)?;
        let created_at = self.context.now();
        let key = ApiKey {
            id: self.context.new_id(),
            organization: granter.organization,
            name,
            scopes,
            created_at,
            revoked_at: None,
        };
        let new =
            NewApiKey { key, secret: new_secret(&self.context.master, &*self.context.environment, SecretKind::Api) };
        audit::set_subject(new.key.id);
        let record = record_of(idempotent.as_ref(), &new, created_at)?;
        let created = self.store.create_api_key(new.key.clone(), fingerprint(&new.secret), record).await??;
        Ok(created.map(|()| new))
    }
}
