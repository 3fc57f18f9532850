//! Creates an organization with its first API key in one commit.

use voelgoed_domain::accounts::names;
use voelgoed_domain::accounts::scope::Scope;

use super::Accounts;
use super::audit;
use super::create_api_key::NewApiKey;
use super::ports::{ApiKey, Organization};
use super::secret::{SecretKind, new_secret};
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::token::fingerprint;

/// A new organization with its first key.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// The organization.
    pub organization: Organization,
    /// A key with every scope.
    pub first_key: NewApiKey,
}

impl Accounts {
    /// Writes the organization.
    ///
    /// # Errors
    /// `invalid_request`, `already_exists` (slug), `idempotency_mismatch`.
    pub async fn create_organization(
        &self,
        name: &str,
        slug: &str,
        idempotent: Option<Idempotent<'_, NewOrganization>>,
    ) -> CommandResult<Created<NewOrganization>> {
        let (name, slug) = (names::display_name("name", name)?, names::slug("slug", slug.trim())?);
        let environment = &*self.context.environment;
        let created_at = environment.now();
        let organization = Organization { id: self.context.new_id(), name, slug, created_at };
        let key = ApiKey {
            id: self.context.new_id(),
            organization: organization.id,
            name: "first key".to_owned(),
            scopes: Scope::ALL.to_vec(),
            created_at,
            revoked_at: None,
        };
        let first_key =
            NewApiKey { key: key.clone(), secret: new_secret(&self.context.master, environment, SecretKind::Api) };
        let secret = fingerprint(&first_key.secret);
        let new = NewOrganization { organization: organization.clone(), first_key };
        let record = record_of(idempotent.as_ref(), &new, created_at)?;
        audit::set_subject(organization.id);
        let created = self.store.create_organization(organization, Some((key, secret)), record).await??;
        Ok(created.map(|()| new))
    }
}
