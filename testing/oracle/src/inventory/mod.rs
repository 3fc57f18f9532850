//! The warm state of one event as lists that are searched from end to end: what `domain`'s machine, and every store behind it, must answer.
//!
//! Never clever: a place's look is worked out anew each time from what cold said and from who holds it (P1, P4).

mod command;
mod decide;
mod generate;
mod request;

use std::net::IpAddr;

pub use command::{Command, Told, Verdict, verdict};
pub use generate::{World, commands, steps};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldPhase, HoldRecord};
use voelgoed_domain::ticketing::inventory::{AreaSpan, Counts, InventorySnapshot};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber, PlaceState, Position, Shown};
use voelgoed_domain::time::Timestamp;

/// A hold as a person would note it down.
#[derive(Debug, Clone, PartialEq)]
struct Hold {
    id: HoldId,
    session: SessionId,
    /// As granted, list by list.
    granted: Vec<Vec<PlaceNumber>>,
    /// Those of them that are still its own.
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

/// What is true of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    epoch: Epoch,
    seq: u64,
    clock: Timestamp,
    installed_at: Timestamp,
    areas: Vec<AreaSpan>,
    /// What cold said last of each place, and in which version.
    cold: Vec<(PlaceState, u32)>,
    holds: Vec<Hold>,
    admitted: Vec<TicketId>,
    revoked: Vec<TicketId>,
}

impl Model {
    /// Where the log must stand.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }

    /// What everybody must see.
    ///
    /// # Panics
    /// Where the model itself has a place twice: then the model is wrong.
    #[must_use]
    pub fn snapshot(&self) -> InventorySnapshot {
        let places: Vec<_> = (0..self.cold.len()).map(|place| self.look(place)).collect();
        let counts = self.areas.iter().map(|span| {
            let area = &places[span.places.start as usize..span.places.end as usize];
            let count = |shown| u32::try_from(area.iter().filter(|look| **look == shown).count()).unwrap_or(u32::MAX);
            Counts {
                free: count(Shown::Free),
                held: count(Shown::Held),
                sold: count(Shown::Sold),
                blocked: count(Shown::Blocked),
            }
        });
        InventorySnapshot { position: self.position(), areas: self.areas.clone(), counts: counts.collect(), places }
    }

    fn look(&self, place: usize) -> Shown {
        let owners = self.holds.iter().filter(|hold| hold.own.iter().any(|own| own.index() == place)).count();
        let state = self.cold[place].0;
        assert!(owners == 0 || (owners == 1 && state == PlaceState::Free), "place {place} belongs to several");
        match (state, owners) {
            (PlaceState::Free, 0) => Shown::Free,
            (PlaceState::Free | PlaceState::Claimed, _) => Shown::Held,
            (PlaceState::Sold, _) => Shown::Sold,
            (PlaceState::Blocked, _) => Shown::Blocked,
        }
    }
}
