//! An organizer adds an event, as a draft.

use voelgoed_domain::catalog::event::{Event, EventDraft};
use voelgoed_domain::ids::OrganizationId;

use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

/// Writes the event.
///
/// # Errors
/// `invalid_request` with the field, `not_found` (layout).
pub async fn create_event(
    platform: &Platform,
    organization: OrganizationId,
    draft: EventDraft,
    idempotent: Option<Idempotent<'_, Event>>,
) -> Result<Created<Event>> {
    let now = platform.environment.now();
    let event = draft.check(fresh(&*platform.environment), organization)?;
    audit::subject(event.id);
    let record = record_of(idempotent.as_ref(), &event, now)?;
    let created = platform.catalog.create_event(organization, event.clone(), now, record).await??;
    Ok(created.map(|()| event))
}
