//! Creates a venue.

use voelgoed_domain::accounts::names;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::text::multi_line;

use super::Catalog;
use super::ports::Venue;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};

/// The limit of an address.
pub const VENUE_ADDRESS_CHARS_MAX: usize = 300;

impl Catalog {
    /// Writes the venue.
    ///
    /// # Errors
    /// `invalid_request`.
    pub async fn create_venue(
        &self,
        organization: OrganizationId,
        name: &str,
        address: &str,
        idempotent: Option<Idempotent<'_, Venue>>,
    ) -> CommandResult<Created<Venue>> {
        let (name, address) =
            (names::display_name("name", name)?, multi_line("address", address, VENUE_ADDRESS_CHARS_MAX)?);
        let venue = Venue { id: self.context.new_id(), name, address };
        audit::set_subject(venue.id);
        let record = record_of(idempotent.as_ref(), &venue, self.context.now())?;
        let created = self.store.create_venue(organization, venue.clone(), record).await??;
        Ok(created.map(|()| venue))
    }
}
