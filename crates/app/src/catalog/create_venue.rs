//! An organizer adds a venue.

use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;

use super::ports::Venue;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 120;
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
    let (name, address) = (name.trim(), address.trim());
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::invalid("name", format!("Give a name of 1 to {LONGEST_NAME} characters.")).into());
    }
    if address.chars().count() > LONGEST_ADDRESS {
        return Err(Refusal::invalid("address", format!("At most {LONGEST_ADDRESS} characters.")).into());
    }
    let venue = Venue { id: fresh(&*platform.environment), name: name.to_owned(), address: address.to_owned() };
    let record = record_of(idempotent.as_ref(), &venue, platform.environment.now());
    let created = platform.catalog.create_venue(organization, venue.clone(), record).await??;
    Ok(created.map(|()| venue))
}
