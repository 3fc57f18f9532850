//! Expires lapsed holds and frees their places (P4).
//!
//! Frees only places that the hold still has, so a place that cold has claimed stays claimed.

use super::Inventory;
use crate::ids::HoldId;
use crate::time::Timestamp;

impl Inventory {
    /// Expires up to `holds_max` lapsed holds in a step of their own; returns how many.
    pub fn sweep(&mut self, holds_max: usize, now: Timestamp) -> usize {
        self.clock = self.clock.max(now);
        let swept = self.free_lapsed(holds_max);
        self.finish_step();
        swept
    }

    pub(super) fn free_lapsed(&mut self, holds_max: usize) -> usize {
        let mut swept = 0;
        while swept < holds_max
            && let Some(hold) = self.holds.first_lapsed(self.clock)
        {
            self.free_hold(hold);
            swept += 1;
        }
        swept
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
