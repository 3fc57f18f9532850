//! The operator adds a tenant.

use voelgoed_domain::accounts::identity;

use super::ports::Organization;
use crate::environment::fresh;
use crate::error::Result;
use crate::platform::Platform;

/// Writes the organization.
///
/// # Errors
/// `invalid_request`, `already_exists` (slug).
pub async fn create_organization(platform: &Platform, name: &str, slug: &str) -> Result<Organization> {
    let (name, slug) = (identity::name("name", name)?, identity::slug("slug", slug.trim())?);
    let organization =
        Organization { id: fresh(&*platform.environment), name, slug, created_at: platform.environment.now() };
    platform.accounts.create_organization(organization.clone()).await??;
    Ok(organization)
}
