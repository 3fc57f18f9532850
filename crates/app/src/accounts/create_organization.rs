//! The operator adds a tenant with its first key, both in one commit.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::accounts::scope::Scope;

use super::audit;
use super::create_api_key::NewApiKey;
use super::ports::{ApiKey, Organization};
use super::secret::{SecretKind, fresh_secret};
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;
use crate::token::fingerprint;

/// An organization with its first key, as it is answered once.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// The organization.
    pub organization: Organization,
    /// A key with every scope.
    pub first_key: NewApiKey,
}

/// Writes the organization.
///
/// # Errors
/// `invalid_request`, `already_exists` (slug), `idempotency_mismatch`.
pub async fn create_organization(
    platform: &Platform,
    name: &str,
    slug: &str,
    idempotent: Option<Idempotent<'_, NewOrganization>>,
) -> Result<Created<NewOrganization>> {
    let (name, slug) = (identity::name("name", name)?, identity::slug("slug", slug.trim())?);
    let environment = &*platform.environment;
    let created_at = environment.now();
    let organization = Organization { id: fresh(environment), name, slug, created_at };
    let key = ApiKey {
        id: fresh(environment),
        organization: organization.id,
        name: "first key".to_owned(),
        scopes: Scope::ALL.to_vec(),
        created_at,
        revoked_at: None,
    };
    let first_key =
        NewApiKey { key: key.clone(), secret: fresh_secret(&platform.master, environment, SecretKind::Api) };
    let secret = fingerprint(&first_key.secret);
    let new = NewOrganization { organization: organization.clone(), first_key };
    let record = record_of(idempotent.as_ref(), &new, created_at)?;
    audit::subject(organization.id);
    let created = platform.accounts.create_organization(organization, Some((key, secret)), record).await??;
    Ok(created.map(|()| new))
}
