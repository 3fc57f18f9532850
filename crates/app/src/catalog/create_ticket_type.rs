//! An organizer says what is sold for an event's places, and for how much.

use voelgoed_domain::catalog::ticket_type::{TicketType, TicketTypeDraft};

use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// Writes the ticket type.
///
/// # Errors
/// `invalid_request` with the field, `not_found` (event).
pub async fn create_ticket_type(
    platform: &Platform,
    scope: EventScope,
    draft: TicketTypeDraft,
    idempotent: Option<Idempotent<'_, TicketType>>,
) -> Result<Created<TicketType>> {
    let now = platform.environment.now();
    let listing = platform.listings.listing(scope).await?;
    let ticket_type = draft.check(fresh(&*platform.environment), &listing.event, &listing.layout)?;
    audit::subject(ticket_type.id);
    let record = record_of(idempotent.as_ref(), &ticket_type, now)?;
    let created = platform.catalog.create_ticket_type(scope.organization, ticket_type.clone(), now, record).await??;
    platform.listings.changed(scope.organization, scope.event);
    Ok(created.map(|()| ticket_type))
}
