//! Creates an event as a draft.

use voelgoed_domain::catalog::event::{Event, EventDraft};
use voelgoed_domain::ids::OrganizationId;

use super::Catalog;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};

impl Catalog {
    /// Writes the event.
    ///
    /// # Errors
    /// `invalid_request` with the field, `not_found` (layout).
    pub async fn create_event(
        &self,
        organization: OrganizationId,
        draft: EventDraft,
        idempotent: Option<Idempotent<'_, Event>>,
    ) -> CommandResult<Created<Event>> {
        let now = self.context.now();
        let event = draft.check(self.context.new_id(), organization)?;
        audit::set_subject(event.id);
        let record = record_of(idempotent.as_ref(), &event, now)?;
        let created = self.store.create_event(organization, event.clone(), now, record).await??;
        Ok(created.map(|()| event))
    }
}
