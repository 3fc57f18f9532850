//! The book of holds: which there are, when each lapses, which place is in whose reach, and how much each session has.
//!
//! Never: two holds with one place in reach. A place leaves a hold's reach when the cold tier decides about it; the hold still remembers that it was granted.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use voelgoed_planted::{Bug, planted};

use crate::ids::{HoldId, OrderId, SessionId};
use crate::ticketing::hold::{HoldPhase, HoldRecord};
use crate::ticketing::place::PlaceNumber;
use crate::time::Timestamp;

/// A hold and what only the store knows of it.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub(super) record: HoldRecord,
    /// The client address that its places count for; none once it became an order.
    pub(super) address: Option<IpAddr>,
}

impl Holding {
    /// From this moment on it may be swept: its own end, or its pin's where that is later.
    pub(super) fn lapses_at(&self) -> Timestamp {
        match self.record.phase {
            HoldPhase::Pinned { until } => self.record.expires_at.max(until),
            HoldPhase::Active | HoldPhase::Claimed { .. } => self.record.expires_at,
        }
    }

    /// The record as it stands at `now`: a pin that is over shows no more.
    pub(super) fn at(&self, now: Timestamp) -> HoldRecord {
        let mut record = self.record.clone();
        if matches!(record.phase, HoldPhase::Pinned { until } if until <= now) {
            record.phase = HoldPhase::Active;
        }
        record
    }

    /// Every place granted, in reach or not.
    pub(super) fn granted(&self) -> impl Iterator<Item = PlaceNumber> + '_ {
        self.record.places.iter().flatten().copied()
    }
}

/// What a session has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Holds that have not become orders.
    pub(super) holds: u32,
    /// Places in their reach.
    pub(super) places: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    holds: BTreeMap<HoldId, Holding>,
    expiry: BTreeSet<(Timestamp, HoldId)>,
    holders: BTreeMap<PlaceNumber, HoldId>,
    sessions: BTreeMap<SessionId, Tally>,
    /// Places in reach of the holds of each client address.
    addresses: BTreeMap<IpAddr, u32>,
}

impl Book {
    pub(super) fn get(&self, hold: HoldId) -> Option<&Holding> {
        self.holds.get(&hold)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Holding> {
        self.holds.values()
    }

    pub(super) fn holder(&self, place: PlaceNumber) -> Option<HoldId> {
        self.holders.get(&place).copied()
    }

    pub(super) fn tally(&self, session: SessionId) -> Tally {
        self.sessions.get(&session).copied().unwrap_or_default()
    }

    /// The places that the holds of a client address have.
    pub(super) fn held_from(&self, address: IpAddr) -> u32 {
        self.addresses.get(&address).copied().unwrap_or_default()
    }

    /// The granted places that are still this hold's.
    pub(super) fn reach(&self, holding: &Holding) -> Vec<PlaceNumber> {
        holding.granted().filter(|place| self.holder(*place) == Some(holding.record.hold)).collect()
    }

    /// Enters a hold, without any place in reach yet.
    pub(super) fn enter(&mut self, holding: Holding) {
        if !matches!(holding.record.phase, HoldPhase::Claimed { .. }) {
            self.sessions.entry(holding.record.session).or_default().holds += 1;
        }
        self.expiry.insert((holding.lapses_at(), holding.record.hold));
        self.holds.insert(holding.record.hold, holding);
    }

    /// Strikes a hold out; its reach must have been let go of.
    pub(super) fn strike(&mut self, hold: HoldId) {
        let Some(holding) = self.holds.remove(&hold) else { return };
        self.expiry.remove(&(holding.lapses_at(), hold));
        if !matches!(holding.record.phase, HoldPhase::Claimed { .. }) {
            self.count(holding.record.session, |tally| tally.holds -= 1);
        }
    }

    /// Changes a hold and keeps the order of expiry.
    pub(super) fn amend(&mut self, hold: HoldId, change: impl FnOnce(&mut Holding)) {
        let Some(holding) = self.holds.get_mut(&hold) else { return };
        let was = holding.lapses_at();
        change(holding);
        let is = holding.lapses_at();
        self.expiry.remove(&(was, hold));
        self.expiry.insert((is, hold));
    }

    /// The hold became an order; it no longer counts for its session.
    pub(super) fn claim(&mut self, hold: HoldId, order: OrderId) {
        let Some(holding) = self.holds.get(&hold) else { return };
        let (session, address, reach) = (holding.record.session, holding.address, self.reach(holding).len());
        self.amend(hold, |holding| {
            holding.record.phase = HoldPhase::Claimed { order };
            holding.address = None;
        });
        self.count(session, |tally| tally.holds -= 1);
        if let Some(address) = address {
            self.leave(address, u32::try_from(reach).unwrap_or(u32::MAX));
        }
    }

    /// Brings a place that nobody holds into a hold's reach.
    pub(super) fn take(&mut self, place: PlaceNumber, hold: HoldId) {
        let Some(holding) = self.holds.get(&hold) else { return };
        self.sessions.entry(holding.record.session).or_default().places += 1;
        if let Some(address) = holding.address {
            *self.addresses.entry(address).or_default() += 1;
        }
        self.holders.insert(place, hold);
    }

    /// Takes a place out of whatever hold's reach it is in.
    pub(super) fn let_go(&mut self, place: PlaceNumber) {
        let Some(hold) = self.holders.remove(&place) else { return };
        let Some(holding) = self.holds.get(&hold) else { return };
        let (session, address) = (holding.record.session, holding.address);
        self.count(session, |tally| tally.places -= 1);
        if let Some(address) = address {
            self.leave(address, 1);
        }
    }

    /// The first hold that has lapsed by `now`, by moment and then by id.
    pub(super) fn first_lapsed(&self, now: Timestamp) -> Option<HoldId> {
        self.expiry
            .first()
            .filter(|(at, _)| *at < now || *at == now && !planted(Bug::SweepsOneLate))
            .map(|(_, hold)| *hold)
    }

    fn leave(&mut self, address: IpAddr, places: u32) {
        let Some(held) = self.addresses.get_mut(&address) else { return };
        *held = held.saturating_sub(places);
        if *held == 0 {
            self.addresses.remove(&address);
        }
    }

    fn count(&mut self, session: SessionId, change: impl FnOnce(&mut Tally)) {
        let Some(tally) = self.sessions.get_mut(&session) else { return };
        change(tally);
        if tally.holds == 0 && tally.places == 0 {
            self.sessions.remove(&session);
        }
    }
}
