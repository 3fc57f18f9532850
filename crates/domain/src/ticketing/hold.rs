//! A hold is a timed claim on places in the warm tier, granted on all places or none, with fixed prices.

use core::net::IpAddr;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::place::Epoch;
use super::place_number::PlaceNumber;
use crate::ids::{HoldId, OrderId, SessionId};
use crate::time::Timestamp;

/// What one line of a hold requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pick {
    /// This place.
    Place(PlaceNumber),
    /// Any free places of a general-admission area.
    Any {
        /// The range of the area's places.
        range: Range<u32>,
        /// How many places.
        quantity: u32,
    },
}

/// A request for a new hold or a changed one, granted on all places or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRequest {
    /// The hold's identifier, chosen by the caller; makes a repeated request idempotent.
    pub hold: HoldId,
    /// The owner; limits count per session.
    pub session: SessionId,
    /// The requested places, in the order of the request.
    pub picks: Vec<Pick>,
    /// The priced terms, opaque to the store: `voelgoed_domain::ticketing::quote::Terms` as JSON.
    pub terms: String,
    /// How long the hold lasts from the store's clock, in milliseconds.
    pub lasts_millis: u64,
    /// How many places the session may hold at once, over all its holds.
    pub places_per_session: u32,
    /// The client address that limits count; none for requests of the platform itself. A changed hold keeps its first address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// How many places of this event the holds of that address may have at once.
    #[serde(default = "unlimited")]
    pub places_per_address: u32,
    /// The version of the hold that a change was made from; the change is refused where the hold has another. Ignored for a new hold.
    pub expected_version: u32,
}

const fn unlimited() -> u32 {
    u32::MAX
}

/// The phase of a hold's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldPhase {
    /// Expires at `expires_at`; the owner may change and release it.
    Active,
    /// An order is being written; neither expires nor changes until the pin ends.
    Pinned {
        /// When the pin ends.
        until: Timestamp,
    },
    /// The order has claimed the places in the cold tier; an expiry frees none of them.
    Claimed {
        /// The order that claimed the places.
        order: OrderId,
    },
}

/// A stored hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// The hold's identifier.
    pub hold: HoldId,
    /// The owner.
    pub session: SessionId,
    /// The granted places, one list per pick, in the order of the request.
    pub places: Vec<Vec<PlaceNumber>>,
    /// The priced terms of the request, unchanged.
    pub terms: String,
    /// When the hold expires.
    pub expires_at: Timestamp,
    /// Whether the hold is active, pinned or claimed.
    pub phase: HoldPhase,
    /// The generation in which the hold was granted.
    pub epoch: Epoch,
    /// 1, and one more with each change.
    pub version: u32,
}
