//! A buyer asks for places: all of them or none.

use std::time::Duration;

use super::Inventory;
use super::book::Holding;
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldPhase, HoldRecord, HoldRequest};
use crate::ticketing::place::{PlaceNumber, Shown};
use crate::time::Timestamp;

impl Inventory {
    /// Grants all that is asked for or nothing; the same hold id again answers the hold as it stands.
    ///
    /// # Errors
    /// `invalid_request`, `too_large`, `limit_reached`, `place_taken` with the places, `sold_out`; `hold_expired` where the id has lapsed, `not_found` where
    /// it is another session's.
    pub fn hold(&mut self, request: HoldRequest, now: Timestamp) -> Result<HoldRecord, Refusal> {
        self.step(now, |inventory| {
            if inventory.book.get(request.hold).is_some() {
                return inventory.of_session(&request).map(|holding| holding.at(inventory.clock));
            }
            let places = inventory.allot(&request, None)?;
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
            inventory.book.enter(Holding { record: record.clone(), address: request.address });
            inventory.step.wrote = true;
            for place in record.places.iter().flatten().copied() {
                inventory.take_place(place, record.hold);
            }
            Ok(record)
        })
    }

    /// The live hold that a request names, if it is the same session's.
    pub(super) fn of_session(&self, request: &HoldRequest) -> Result<&Holding, Refusal> {
        let holding = self.live(request.hold)?;
        if holding.record.session == request.session { Ok(holding) } else { Err(Refusal::not_found()) }
    }

    pub(super) fn take_place(&mut self, place: PlaceNumber, hold: HoldId) {
        self.book.take(place, hold);
        self.show(place, Shown::Held);
    }
}
