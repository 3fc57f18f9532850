//! Lapsed holds go and their places are free again (P4).
//!
//! Never: frees a place that is out of the hold's reach, so no sweep frees what cold has claimed.

use voelgoed_planted::{Bug, planted};

use super::Inventory;
use crate::ids::HoldId;
use crate::time::Timestamp;

impl Inventory {
    /// Frees at most `most` lapsed holds, as a step of its own; returns how many.
    pub fn sweep(&mut self, most: usize, now: Timestamp) -> usize {
        self.clock = self.clock.max(now);
        let swept = self.free_lapsed(most);
        self.close_step();
        swept
    }

    pub(super) fn free_lapsed(&mut self, most: usize) -> usize {
        let mut swept = 0;
        while swept < most
            && let Some(hold) = self.book.first_lapsed(self.clock)
        {
            self.free_hold(hold);
            swept += 1;
        }
        swept
    }

    /// Strikes a hold out and frees what is in its reach.
    pub(super) fn free_hold(&mut self, hold: HoldId) {
        let Some(holding) = self.book.get(hold) else { return };
        let freed =
            if planted(Bug::SweepFreesClaimed) { holding.granted().collect() } else { self.book.reach(holding) };
        for place in freed {
            self.free_place(place);
        }
        self.book.strike(hold);
        self.step.wrote = true;
    }
}
