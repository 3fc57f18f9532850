//! A buyer looks at a hold.

use voelgoed_domain::ids::HoldId;

use super::ports::EventScope;
use super::rebuild::loaded;
use super::terms::HoldView;
use crate::error::Result;
use crate::platform::Platform;

/// The hold with its priced places.
///
/// # Errors
/// `hold_expired`, `hold_lost`, `try_again`.
pub async fn read_hold(platform: &Platform, scope: EventScope, hold: HoldId) -> Result<HoldView> {
    let listing = platform.listings.listing(scope).await?;
    let record = loaded(platform, scope, || platform.inventory.read_hold(scope, hold)).await?;
    Ok(HoldView::new(scope, &listing, record, platform.environment.now())?)
}
