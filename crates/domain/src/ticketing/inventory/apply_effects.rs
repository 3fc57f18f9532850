//! Applies place effects of the cold tier above the stored version only, so redelivery and reordering are harmless (P8).
//!
//! Never: frees a place of a live hold. A place that cold assigned leaves its hold for good; from then on only cold frees the place.

use super::Inventory;
use crate::ids::{HoldId, OrderId};
use crate::ticketing::hold::HoldPhase;
use crate::ticketing::place::{DisplayState, PlaceEffect, PlaceState, Position};
use crate::time::Timestamp;

impl Inventory {
    /// Applies each effect whose version is above that of its place; `claimed_by` names the hold that became an order by these effects.
    /// Ignores places that the event does not have.
    pub fn apply(
        &mut self,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
        now: Timestamp,
    ) -> Position {
        self.clock = self.clock.max(now);
        self.free_expired(super::FREED_PER_STEP_MAX);
        if let Some((hold, order)) = claimed_by {
            self.mark_claimed(hold, order);
        }
        for effect in effects.iter().filter(|effect| self.places.has(effect.place)).collect::<Vec<_>>() {
            self.apply_one(effect, claimed_by.map(|(hold, _)| hold));
        }
        self.finish_step();
        self.position()
    }

    fn mark_claimed(&mut self, hold: HoldId, order: OrderId) {
        let unclaimed =
            self.holds.get(hold).is_some_and(|held| !matches!(held.record.phase, HoldPhase::Claimed { .. }));
        if unclaimed {
            self.holds.claim(hold, order);
            self.step.wrote = true;
        }
    }

    fn apply_one(&mut self, effect: &PlaceEffect, claimant: Option<HoldId>) {
        let place = effect.place;
        let holder = self.holds.holder(place);
        if effect.version > self.places.version(place) {
            self.places.set_version(place, effect.version);
            self.step.wrote = true;
            if effect.state != PlaceState::Free || holder.is_none() {
                self.holds.release(place);
                self.set_display_state(place, DisplayState::from(effect.state));
            }
        } else if holder.is_some() && holder == claimant {
            // Cold has applied a later version since this claim, and in cold a place that a hold still has is free.
            self.free_place(place);
        }
    }
}
