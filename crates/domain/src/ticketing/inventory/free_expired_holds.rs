//! Frees expired holds and their places (P4).
//!
//! Frees only places that the hold still has, so a place that cold has claimed stays claimed.

use super::Inventory;
use crate::ids::HoldId;
use crate::time::Timestamp;

impl Inventory {
    /// Frees up to `holds_max` expired holds in a step of their own; returns how many.
    pub fn free_expired_holds(&mut self, holds_max: usize, now: Timestamp) -> usize {
        self.clock = self.clock.max(now);
        let freed = self.free_expired(holds_max);
        self.finish_step();
        freed
    }

    pub(super) fn free_expired(&mut self, holds_max: usize) -> usize {
        let mut freed = 0;
        while freed < holds_max
            && let Some(hold) = self.holds.first_expired(self.clock)
        {
            self.free_hold(hold);
            freed += 1;
        }
        freed
    }

    /// Removes a hold and frees the places that it still has.
    pub(super) fn free_hold(&mut self, hold: HoldId) {
        let Some(holding) = self.holds.get(hold) else { return };
        for place in self.holds.held_places(holding) {
            self.free_place(place);
        }
        self.holds.remove(hold);
        self.step.wrote = true;
    }
}
