//! An organizer adds a venue.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::text::lines;

use super::ports::Venue;
use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

/// The longest address, in characters.
pub const LONGEST_ADDRESS: usize = 300;

/// Writes the venue.
///
/// # Errors
/// `invalid_request`.
pub async fn create_venue(
    platform: &Platform,
    organization: OrganizationId,
    name: &str,
    address: &str,
    idempotent: Option<Idempotent<'_, Venue>>,
) -> Result<Created<Venue>> {
    let (name, address) = (identity::name("name", name)?, lines("address", address, LONGEST_ADDRESS)?);
    let venue = Venue { id: fresh(&*platform.environment), name, address };
    audit::subject(venue.id);
    let record = record_of(idempotent.as_ref(), &venue, platform.environment.now())?;
    let created = platform.catalog.create_venue(organization, venue.clone(), record).await??;
    Ok(created.map(|()| venue))
}
