//! Changes the places of a hold, all or nothing: keeps the common places, takes the new ones, frees the others.

use std::collections::BTreeSet;

use super::{Inventory, refusals};
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldRecord, HoldRequest};
use crate::time::Timestamp;

impl Inventory {
    /// Replaces the places and terms of an active hold; its end stays. A range keeps the hold's own places first.
    /// Of two changes made from one version only the first is applied, so that no change is overwritten unseen.
    ///
    /// # Errors
    /// Those of [`Inventory::hold`], and `hold_lost`, `already_ordered`, `hold_changed`.
    pub fn change_hold(&mut self, request: HoldRequest, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.run_step(now, |inventory| {
            inventory.own_hold(&request)?;
            let holding = inventory.active_hold(request.hold)?;
            if holding.record.version != request.expected_version {
                return Err(refusals::hold_changed());
            }
            let had: BTreeSet<_> = inventory.holds.held_places(holding).into_iter().collect();
            let places = inventory.allocate(&request, Some(request.hold))?;
            let wanted: BTreeSet<_> = places.iter().flatten().copied().collect();
            for place in had.difference(&wanted) {
                inventory.free_place(*place);
            }
            for place in wanted.difference(&had) {
                inventory.hold_place(*place, request.hold);
            }
            inventory.holds.update(request.hold, |holding| {
                holding.record.places = places;
                holding.record.terms = request.terms;
                holding.record.version = holding.record.version.saturating_add(1);
            });
            inventory.step.wrote = true;
            inventory.live_hold(request.hold).map(|holding| holding.at(inventory.clock))
        })
    }
}
