//! What cold decided reaches the warm tier; only news count, so a redelivery or another order of arrival is harmless (P8).
//!
//! Never: frees what a living hold has. A place that cold gave to anybody leaves every hold's reach; from then on only cold frees it.

use voelgoed_planted::{Bug, planted};

use super::Inventory;
use crate::ids::{HoldId, OrderId};
use crate::ticketing::hold::HoldPhase;
use crate::ticketing::place::{PlaceEffect, PlaceState, Position, Shown};
use crate::time::Timestamp;

impl Inventory {
    /// Carries effects over, each only above its place's version; `claimed_by` names the hold that became an order by them.
    /// A place that the event does not have is passed over.
    pub fn apply(
        &mut self,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
        now: Timestamp,
    ) -> Position {
        self.clock = self.clock.max(now);
        self.free_lapsed(super::SWEPT_PER_STEP);
        if let Some((hold, order)) = claimed_by {
            self.mark_claimed(hold, order);
        }
        for effect in effects.iter().filter(|effect| self.places.has(effect.place)).collect::<Vec<_>>() {
            self.apply_one(effect, claimed_by.map(|(hold, _)| hold));
        }
        self.close_step();
        self.position()
    }

    fn mark_claimed(&mut self, hold: HoldId, order: OrderId) {
        let unclaimed = self.book.get(hold).is_some_and(|held| !matches!(held.record.phase, HoldPhase::Claimed { .. }));
        if unclaimed {
            self.book.claim(hold, order);
            self.step.wrote = true;
        }
    }

    fn apply_one(&mut self, effect: &PlaceEffect, claimant: Option<HoldId>) {
        let place = effect.place;
        let holder = self.book.holder(place);
        if effect.version > self.places.version(place) || planted(Bug::OldNewsApplied) {
            self.places.set_version(place, effect.version);
            self.step.wrote = true;
            if effect.state != PlaceState::Free || holder.is_none() {
                self.book.let_go(place);
                self.show(place, Shown::from(effect.state));
            }
        } else if holder.is_some() && holder == claimant {
            // Cold has moved on since this claim, and what is in a hold's reach is free there.
            self.free_place(place);
        }
    }
}
