//! A hold is pinned while an order is written from it, so that it does not lapse meanwhile (P2).
//!
//! Never for good: a pin lapses by itself after [`PIN_LASTS`], so a node that dies keeps nobody's places.

use voelgoed_planted::{Bug, planted};

use super::{Inventory, PIN_LASTS, refusals};
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldPhase, HoldRecord};
use crate::time::Timestamp;

impl Inventory {
    /// Pins a hold, or pins it anew. Its end stays, so that a refused order leaves the hold as it was.
    ///
    /// # Errors
    /// `hold_expired`, `hold_lost`; `already_ordered` with the order; `place_taken` with the places that cold gave to others meanwhile.
    pub fn pin(&mut self, hold: HoldId, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.step(now, |inventory| {
            let holding = inventory.live(hold)?;
            if let HoldPhase::Claimed { order } = holding.record.phase {
                return Err(refusals::ordered(order));
            }
            let gone: Vec<_> = holding.granted().filter(|place| inventory.book.holder(*place) != Some(hold)).collect();
            if !gone.is_empty() {
                return Err(Refusal::place_taken(gone));
            }
            let until = inventory.clock.plus(PIN_LASTS);
            inventory.book.amend(hold, |holding| {
                if planted(Bug::PinMovesEnd) {
                    holding.record.expires_at = holding.record.expires_at.plus(PIN_LASTS);
                }
                holding.record.phase = HoldPhase::Pinned { until };
            });
            inventory.step.wrote = true;
            inventory.live(hold).map(|holding| holding.at(inventory.clock))
        })
    }

    /// Takes a pin back, the order not having been written; nothing happens where there is none.
    pub fn unpin(&mut self, hold: HoldId, now: Timestamp) {
        self.clock = self.clock.max(now);
        self.free_lapsed(super::SWEPT_PER_STEP);
        if matches!(self.book.get(hold).map(|held| held.record.phase), Some(HoldPhase::Pinned { .. })) {
            self.book.amend(hold, |holding| holding.record.phase = HoldPhase::Active);
            self.step.wrote = true;
        }
        self.close_step();
    }
}
