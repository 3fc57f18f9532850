//! An organizer deletes a draft, with its ticket types, price rules, gates, devices and blocks.

use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// Deletes the draft.
///
/// # Errors
/// `wrong_state` for an event that was ever published, `not_found`.
pub async fn delete_event(platform: &Platform, scope: EventScope) -> Result<()> {
    let now = platform.environment.now();
    platform.catalog.delete_event(scope.organization, scope.event, now).await??;
    platform.listings.changed(scope.organization, scope.event);
    Ok(())
}
