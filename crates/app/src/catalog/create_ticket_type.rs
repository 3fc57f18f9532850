//! Creates a ticket type of an event, with its prices and limits.

use voelgoed_domain::catalog::ticket_type::{TicketType, TicketTypeDraft};

use super::Catalog;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::ticketing::ports::EventScope;

impl Catalog {
    /// Writes the ticket type.
    ///
    /// # Errors
    /// `invalid_request` with the field, `not_found` (event).
    pub async fn create_ticket_type(
        &self,
        scope: EventScope,
        draft: TicketTypeDraft,
        idempotent: Option<Idempotent<'_, TicketType>>,
    ) -> CommandResult<Created<TicketType>> {
        let now = self.context.now();
        let listing = self.listings.listing(scope).await?;
        let ticket_type = draft.check(self.context.new_id(), &listing.event, &listing.layout)?;
        audit::set_subject(ticket_type.id);
        let record = record_of(idempotent.as_ref(), &ticket_type, now)?;
        let created = self.store.create_ticket_type(scope.organization, ticket_type.clone(), now, record).await??;
        self.listings.revalidate(scope.organization, scope.event);
        Ok(created.map(|()| ticket_type))
    }
}
