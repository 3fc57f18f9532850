//! An organizer moves an event to another date, or changes its name, doors, end or sale window; tickets stay valid.

use voelgoed_domain::catalog::event::{Event, EventChange};

use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// Changes the event, in any state of it.
///
/// # Errors
/// `invalid_request` with the field, `not_found`.
pub async fn change_event(platform: &Platform, scope: EventScope, change: EventChange) -> Result<Event> {
    let now = platform.environment.now();
    let event = platform.catalog.change_event(scope.organization, scope.event, change, now).await??;
    platform.listings.changed(scope.organization, scope.event);
    Ok(event)
}
