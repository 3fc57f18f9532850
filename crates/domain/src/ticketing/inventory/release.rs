//! A buyer gives a hold back.

use super::Inventory;
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::place::{PlaceNumber, Shown};
use crate::time::Timestamp;

impl Inventory {
    /// Frees an active hold; one that is gone already stays gone.
    ///
    /// # Errors
    /// `already_ordered` while an order is written from it, or was.
    pub fn release(&mut self, hold: HoldId, now: Timestamp) -> Result<(), Refusal> {
        self.step(now, |inventory| {
            if inventory.book.get(hold).is_none_or(|holding| holding.lapses_at() <= inventory.clock) {
                return Ok(());
            }
            inventory.active(hold)?;
            inventory.free_hold(hold);
            Ok(())
        })
    }

    /// Takes a place out of reach and makes it free.
    pub(super) fn free_place(&mut self, place: PlaceNumber) {
        self.book.let_go(place);
        self.show(place, Shown::Free);
    }
}
