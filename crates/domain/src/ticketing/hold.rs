//! A hold: a timed, all-or-nothing claim on places in the warm tier, whose price is fixed.

use core::net::IpAddr;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::place::{Epoch, PlaceNumber};
use crate::ids::{HoldId, OrderId, SessionId};
use crate::time::Timestamp;

/// What one line of a hold asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pick {
    /// Exactly this place.
    Place(PlaceNumber),
    /// Any free places of a general-admission area, given as its range of places.
    Any {
        /// The area's places.
        range: Range<u32>,
        /// How many.
        quantity: u32,
    },
}

/// A request for places, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRequest {
    /// The new hold's identifier.
    pub hold: HoldId,
    /// Whose it is; limits count per session.
    pub session: SessionId,
    /// What is asked for, in the order of the request.
    pub picks: Vec<Pick>,
    /// The priced terms, opaque to the store: `voelgoed_domain::ticketing::quote::Terms` as JSON.
    pub terms: String,
    /// How long it lasts from the store's own now, in milliseconds.
    pub lasts_millis: u64,
    /// The most places that the session may hold at once, over all its holds.
    pub places_per_session: u32,
    /// The client's address, as limits count it; none for what the platform asks itself. A hold keeps the one that it was granted to.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// The most places that the holds of that address may have at once in this event.
    #[serde(default = "unlimited")]
    pub places_per_address: u32,
    /// A change: the version of the hold that it was made from; refused where the hold has changed since. A new hold has none.
    pub of_version: u32,
}

const fn unlimited() -> u32 {
    u32::MAX
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldPhase {
    /// Lapses at `expires_at`; may be changed and released by its owner.
    Active,
    /// An order is being written; lapses back to nothing when the pin does.
    Pinned {
        /// When the pin lapses.
        until: Timestamp,
    },
    /// Its places are claimed in the cold tier by this order; no sweep touches it.
    Claimed {
        /// The order.
        order: OrderId,
    },
}

/// A hold as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// Its identifier.
    pub hold: HoldId,
    /// Whose it is.
    pub session: SessionId,
    /// The places granted, one list per pick of the request, in its order.
    pub places: Vec<Vec<PlaceNumber>>,
    /// The priced terms as given.
    pub terms: String,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub phase: HoldPhase,
    /// The generation in which it was granted.
    pub epoch: Epoch,
    /// 1, and one more with each change of its content.
    pub version: u32,
}
