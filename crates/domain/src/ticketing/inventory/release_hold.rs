//! Releases a hold on the buyer's request and frees its places.

use super::Inventory;
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::place::DisplayState;
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

impl Inventory {
    /// Releases an active hold; succeeds without a change where the hold no longer exists.
    ///
    /// # Errors
    /// `already_ordered` while an order is written from it, or was.
    pub fn release(&mut self, hold: HoldId, now: Timestamp) -> Result<(), Refusal> {
        self.run_step(now, |inventory| {
            if inventory.holds.get(hold).is_none_or(|holding| holding.ends_at() <= inventory.clock) {
                return Ok(());
            }
            inventory.active_hold(hold)?;
            inventory.free_hold(hold);
            Ok(())
        })
    }

    /// Releases a place from its hold and displays it as free.
    pub(super) fn free_place(&mut self, place: PlaceNumber) {
        self.holds.release(place);
        self.set_display_state(place, DisplayState::Free);
    }
}
