//! Reads a hold with its priced places from the warm tier.

use voelgoed_domain::ids::HoldId;

use super::Ticketing;
use super::hold_view::HoldView;
use super::load_event::load_and_retry;
use super::ports::EventScope;
use crate::error::CommandResult;

impl Ticketing {
    /// The hold with its priced places.
    ///
    /// # Errors
    /// `hold_expired`, `hold_lost`, `try_again`.
    pub async fn read_hold(&self, scope: EventScope, hold: HoldId) -> CommandResult<HoldView> {
        let listing = self.listings.listing(scope).await?;
        let record = load_and_retry(&*self.loader, scope, || self.inventory.read_hold(scope, hold)).await?;
        Ok(HoldView::new(scope, &listing, record, self.context.now())?)
    }
}
