//! A buyer changes a hold's content: what both have is kept, the new is taken, the rest is freed; all or nothing.

use std::collections::BTreeSet;

use super::{Inventory, refusals};
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldRecord, HoldRequest};
use crate::time::Timestamp;

impl Inventory {
    /// Replaces an active hold's content and terms; its end stays. A range keeps the hold's own places of it first.
    /// Of two changes made from one version the first one wins, so that neither undoes the other unseen.
    ///
    /// # Errors
    /// Those of [`Inventory::hold`], and `hold_lost`, `already_ordered`, `hold_changed`.
    pub fn change_hold(&mut self, request: HoldRequest, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.step(now, |inventory| {
            inventory.of_session(&request)?;
            let holding = inventory.active(request.hold)?;
            if holding.record.version != request.of_version {
                return Err(refusals::hold_changed());
            }
            let had: BTreeSet<_> = inventory.book.reach(holding).into_iter().collect();
            let places = inventory.allot(&request, Some(request.hold))?;
            let wanted: BTreeSet<_> = places.iter().flatten().copied().collect();
            for place in had.difference(&wanted) {
                inventory.free_place(*place);
            }
            for place in wanted.difference(&had) {
                inventory.take_place(*place, request.hold);
            }
            inventory.book.amend(request.hold, |holding| {
                holding.record.places = places;
                holding.record.terms = request.terms;
                holding.record.version = holding.record.version.saturating_add(1);
            });
            inventory.step.wrote = true;
            inventory.live(request.hold).map(|holding| holding.at(inventory.clock))
        })
    }
}
