//! Grants a hold on all requested places or refuses it as a whole.

use std::time::Duration;

use super::Inventory;
use super::hold_index::StoredHold;
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldPhase, HoldRecord, HoldRequest};
use crate::ticketing::place::DisplayState;
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

impl Inventory {
    /// Grants every requested place or none. Repeating the hold's id returns the stored hold unchanged.
    ///
    /// # Errors
    /// `invalid_request`, `too_large`, `limit_reached`, `place_taken` with the places, `sold_out`; `hold_expired` where the id's hold has
    /// expired, `not_found` where the id belongs to another session.
    pub fn hold(&mut self, request: HoldRequest, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.run_step(now, |inventory| {
            if inventory.holds.get(request.hold).is_some() {
                return inventory.own_hold(&request).map(|holding| holding.at(inventory.clock));
            }
            let places = inventory.allocate(&request, None)?;
            let record = HoldRecord {
                hold: request.hold,
                session: request.session,
                places,
                terms: request.terms,
                expires_at: inventory.clock.plus(Duration::from_millis(request.lasts_millis)),
                phase: HoldPhase::Active,
                epoch: inventory.epoch,
                version: 1,
            };
            inventory.holds.insert(StoredHold { record: record.clone(), address: request.address });
            inventory.step.wrote = true;
            for place in record.places.iter().flatten().copied() {
                inventory.hold_place(place, record.hold);
            }
            Ok(record)
        })
    }

    /// The live hold that a request names; `not_found` where it belongs to another session.
    pub(super) fn own_hold(&self, request: &HoldRequest) -> Result<&StoredHold, Refusal> {
        let holding = self.live_hold(request.hold)?;
        if holding.record.session == request.session { Ok(holding) } else { Err(Refusal::not_found()) }
    }

    pub(super) fn hold_place(&mut self, place: PlaceNumber, hold: HoldId) {
        self.holds.assign(place, hold);
        self.set_display_state(place, DisplayState::Held);
    }
}
