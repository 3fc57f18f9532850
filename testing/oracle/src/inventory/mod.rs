//! Models the warm state of one event as plain lists, and defines what `domain`'s inventory and every store behind it must reply.
//!
//! Never: a cached or incremental state; the display state of a place is computed from cold's rows and the holds each time (P1, P4).

mod choose_places;
mod command;
mod execute;
mod random_commands;

use std::net::IpAddr;

pub use command::{InventoryCommand, InventoryOutcome, InventoryReply, comparable_outcome};
pub use random_commands::{GeneratorConfig, random_command, timed_commands};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldPhase, HoldRecord};
use voelgoed_domain::ticketing::inventory::{AreaCounts, AreaSpan, InventorySnapshot};
use voelgoed_domain::ticketing::place::{DisplayState, Epoch, PlaceState, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

/// A hold with its granted places and with the places that it still has.
#[derive(Debug, Clone, PartialEq)]
struct Hold {
    id: HoldId,
    session: SessionId,
    /// One list per pick, as granted.
    granted: Vec<Vec<PlaceNumber>>,
    /// The granted places that no later effect has taken.
    own: Vec<PlaceNumber>,
    terms: String,
    expires_at: Timestamp,
    pinned_until: Option<Timestamp>,
    order: Option<OrderId>,
    epoch: Epoch,
    version: u32,
    address: Option<IpAddr>,
}

impl Hold {
    fn ends_at(&self) -> Timestamp {
        match (self.order, self.pinned_until) {
            (None, Some(until)) if until > self.expires_at => until,
            _ => self.expires_at,
        }
    }

    fn record(&self, now: Timestamp) -> HoldRecord {
        let phase = match (self.order, self.pinned_until) {
            (Some(order), _) => HoldPhase::Claimed { order },
            (None, Some(until)) if until > now => HoldPhase::Pinned { until },
            (None, _) => HoldPhase::Active,
        };
        HoldRecord {
            hold: self.id,
            session: self.session,
            places: self.granted.clone(),
            terms: self.terms.clone(),
            expires_at: self.expires_at,
            phase,
            epoch: self.epoch,
            version: self.version,
        }
    }
}

/// The complete state of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryModel {
    epoch: Epoch,
    seq: u64,
    clock: Timestamp,
    installed_at: Timestamp,
    areas: Vec<AreaSpan>,
    /// State and version of the newest effect of each place.
    cold: Vec<(PlaceState, u32)>,
    holds: Vec<Hold>,
    admitted: Vec<TicketId>,
    revoked: Vec<TicketId>,
}

impl InventoryModel {
    /// The expected position of the change log.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }

    /// The expected snapshot.
    ///
    /// # Panics
    /// If two holds of the model have the same place; the model is wrong then.
    #[must_use]
    pub fn snapshot(&self) -> InventorySnapshot {
        let places: Vec<_> = (0..self.cold.len()).map(|place| self.display_state(place)).collect();
        let counts = self.areas.iter().map(|span| {
            let area = &places[span.places.start as usize..span.places.end as usize];
            let count = |shown| u32::try_from(area.iter().filter(|state| **state == shown).count()).unwrap_or(u32::MAX);
            AreaCounts {
                free: count(DisplayState::Free),
                held: count(DisplayState::Held),
                sold: count(DisplayState::Sold),
                blocked: count(DisplayState::Blocked),
            }
        });
        InventorySnapshot { position: self.position(), areas: self.areas.clone(), counts: counts.collect(), places }
    }

    fn display_state(&self, place: usize) -> DisplayState {
        let owners = self.holds.iter().filter(|hold| hold.own.iter().any(|own| own.index() == place)).count();
        let state = self.cold[place].0;
        assert!(owners == 0 || (owners == 1 && state == PlaceState::Free), "place {place} has several owners");
        match (state, owners) {
            (PlaceState::Free, 0) => DisplayState::Free,
            (PlaceState::Free | PlaceState::Claimed, _) => DisplayState::Held,
            (PlaceState::Sold, _) => DisplayState::Sold,
            (PlaceState::Blocked, _) => DisplayState::Blocked,
        }
    }
}
