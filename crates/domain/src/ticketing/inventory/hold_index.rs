//! Indexes the holds of an event by id, by expiry, by place, by session and by client address.
//!
//! Never: two holds with the same place. Once cold has decided about a place, the index no longer gives it to the hold; the hold's record still lists it.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{HoldId, OrderId, SessionId};
use crate::ticketing::hold::{HoldPhase, HoldRecord};
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

/// A hold with the data that its record does not show.
#[derive(Debug, Clone)]
pub(super) struct StoredHold {
    pub(super) record: HoldRecord,
    /// The client address whose limit counts the places; none once the hold became an order.
    pub(super) address: Option<IpAddr>,
}

impl StoredHold {
    /// When the hold expires: at its own end, or at the end of its pin where that is later.
    pub(super) fn ends_at(&self) -> Timestamp {
        match self.record.phase {
            HoldPhase::Pinned { until } => self.record.expires_at.max(until),
            HoldPhase::Active | HoldPhase::Claimed { .. } => self.record.expires_at,
        }
    }

    /// The record at `now`; a pin that has expired is shown as `Active`.
    pub(super) fn at(&self, now: Timestamp) -> HoldRecord {
        let mut record = self.record.clone();
        if matches!(record.phase, HoldPhase::Pinned { until } if until <= now) {
            record.phase = HoldPhase::Active;
        }
        record
    }

    /// Every granted place, whether the hold still has it or not.
    pub(super) fn granted(&self) -> impl Iterator<Item = PlaceNumber> + '_ {
        self.record.places.iter().flatten().copied()
    }
}

/// How much of its limits a session uses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SessionUsage {
    /// Holds that did not become orders.
    pub(super) holds: u32,
    /// Places that these holds still have.
    pub(super) places: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct HoldIndex {
    by_id: BTreeMap<HoldId, StoredHold>,
    expiry: BTreeSet<(Timestamp, HoldId)>,
    holders: BTreeMap<PlaceNumber, HoldId>,
    sessions: BTreeMap<SessionId, SessionUsage>,
    /// How many places the holds of each client address still have.
    addresses: BTreeMap<IpAddr, u32>,
}

impl HoldIndex {
    pub(super) fn get(&self, hold: HoldId) -> Option<&StoredHold> {
        self.by_id.get(&hold)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &StoredHold> {
        self.by_id.values()
    }

    pub(super) fn holder(&self, place: PlaceNumber) -> Option<HoldId> {
        self.holders.get(&place).copied()
    }

    pub(super) fn usage(&self, session: SessionId) -> SessionUsage {
        self.sessions.get(&session).copied().unwrap_or_default()
    }

    /// How many places the holds of a client address have.
    pub(super) fn held_by_address(&self, address: IpAddr) -> u32 {
        self.addresses.get(&address).copied().unwrap_or_default()
    }

    /// The granted places that the hold still has.
    pub(super) fn held_places(&self, holding: &StoredHold) -> Vec<PlaceNumber> {
        holding.granted().filter(|place| self.holder(*place) == Some(holding.record.hold)).collect()
    }

    /// Inserts a hold without assigning any place.
    pub(super) fn insert(&mut self, holding: StoredHold) {
        if !matches!(holding.record.phase, HoldPhase::Claimed { .. }) {
            self.sessions.entry(holding.record.session).or_default().holds += 1;
        }
        self.expiry.insert((holding.ends_at(), holding.record.hold));
        self.by_id.insert(holding.record.hold, holding);
    }

    /// Removes a hold; its places must have been released before.
    pub(super) fn remove(&mut self, hold: HoldId) {
        let Some(holding) = self.by_id.remove(&hold) else { return };
        self.expiry.remove(&(holding.ends_at(), hold));
        if !matches!(holding.record.phase, HoldPhase::Claimed { .. }) {
            self.update_usage(holding.record.session, |usage| usage.holds -= 1);
        }
    }

    /// Changes a hold and its place in the order of expiry.
    pub(super) fn update(&mut self, hold: HoldId, change: impl FnOnce(&mut StoredHold)) {
        let Some(holding) = self.by_id.get_mut(&hold) else { return };
        let was = holding.ends_at();
        change(holding);
        let is = holding.ends_at();
        self.expiry.remove(&(was, hold));
        self.expiry.insert((is, hold));
    }

    /// Marks the hold as an order; it no longer counts for its session or address.
    pub(super) fn claim(&mut self, hold: HoldId, order: OrderId) {
        let Some(holding) = self.by_id.get(&hold) else { return };
        let (session, address, held_places) =
            (holding.record.session, holding.address, self.held_places(holding).len());
        self.update(hold, |holding| {
            holding.record.phase = HoldPhase::Claimed { order };
            holding.address = None;
        });
        self.update_usage(session, |usage| usage.holds -= 1);
        if let Some(address) = address {
            self.subtract_from_address(address, u32::try_from(held_places).unwrap_or(u32::MAX));
        }
    }

    /// Assigns a free place to a hold.
    pub(super) fn assign(&mut self, place: PlaceNumber, hold: HoldId) {
        let Some(holding) = self.by_id.get(&hold) else { return };
        self.sessions.entry(holding.record.session).or_default().places += 1;
        if let Some(address) = holding.address {
            *self.addresses.entry(address).or_default() += 1;
        }
        self.holders.insert(place, hold);
    }

    /// Releases a place from the hold that has it, if any.
    pub(super) fn release(&mut self, place: PlaceNumber) {
        let Some(hold) = self.holders.remove(&place) else { return };
        let Some(holding) = self.by_id.get(&hold) else { return };
        let (session, address) = (holding.record.session, holding.address);
        self.update_usage(session, |usage| usage.places -= 1);
        if let Some(address) = address {
            self.subtract_from_address(address, 1);
        }
    }

    /// The first hold that has expired by `now`, ordered by end and then by id.
    pub(super) fn first_expired(&self, now: Timestamp) -> Option<HoldId> {
        self.expiry.first().filter(|(at, _)| *at <= now).map(|(_, hold)| *hold)
    }

    fn subtract_from_address(&mut self, address: IpAddr, places: u32) {
        let Some(held) = self.addresses.get_mut(&address) else { return };
        *held = held.saturating_sub(places);
        if *held == 0 {
            self.addresses.remove(&address);
        }
    }

    fn update_usage(&mut self, session: SessionId, change: impl FnOnce(&mut SessionUsage)) {
        let Some(usage) = self.sessions.get_mut(&session) else { return };
        change(usage);
        if usage.holds == 0 && usage.places == 0 {
            self.sessions.remove(&session);
        }
    }
}
