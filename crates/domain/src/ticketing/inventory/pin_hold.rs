//! Pins a hold while its order is written, so that the hold cannot expire before the commit (P2).
//!
//! Never: a pin without an end. A pin expires after [`PIN_DURATION`], so a crashed node cannot block places.

use super::{Inventory, PIN_DURATION, refusals};
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldPhase, HoldRecord};
use crate::time::Timestamp;

impl Inventory {
    /// Pins a hold, or renews its pin. The hold's end stays, so that a refused order leaves the hold as it was.
    ///
    /// # Errors
    /// `hold_expired`, `hold_lost`; `already_ordered` with the order; `place_taken` with the places that cold assigned to others meanwhile.
    pub fn pin(&mut self, hold: HoldId, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.run_step(now, |inventory| {
            let holding = inventory.live_hold(hold)?;
            if let HoldPhase::Claimed { order } = holding.record.phase {
                return Err(refusals::already_ordered(order));
            }
            let gone: Vec<_> = holding.granted().filter(|place| inventory.holds.holder(*place) != Some(hold)).collect();
            if !gone.is_empty() {
                return Err(Refusal::place_taken(gone));
            }
            let until = inventory.clock.plus(PIN_DURATION);
            inventory.holds.update(hold, |holding| {
                holding.record.phase = HoldPhase::Pinned { until };
            });
            inventory.step.wrote = true;
            inventory.live_hold(hold).map(|holding| holding.at(inventory.clock))
        })
    }

    /// Removes the pin after the order was not written; does nothing where the hold has no pin.
    pub fn unpin(&mut self, hold: HoldId, now: Timestamp) {
        self.clock = self.clock.max(now);
        self.free_expired(super::FREED_PER_STEP_MAX);
        if matches!(self.holds.get(hold).map(|held| held.record.phase), Some(HoldPhase::Pinned { .. })) {
            self.holds.update(hold, |holding| holding.record.phase = HoldPhase::Active);
            self.step.wrote = true;
        }
        self.finish_step();
    }
}
