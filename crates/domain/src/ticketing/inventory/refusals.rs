//! How an inventory says no, in one place: the machine and every store that mirrors it use the same codes, words and evidence.

use super::{HOLDS_PER_SESSION, PLACES_PER_HOLD};
use crate::ids::OrderId;
use crate::refusal::{Code, Refusal};
use crate::ticketing::limits::{OPEN_HOLDS, PLACES_PER_ADDRESS};

/// Nothing was chosen.
#[must_use]
pub fn no_picks() -> Refusal {
    Refusal::invalid("items", "Choose at least one place.")
}

/// A life beyond [`super::LONGEST_HOLD`].
#[must_use]
pub fn lasts_too_long() -> Refusal {
    Refusal::invalid("lasts_millis", "No hold lasts that long.")
}

/// Terms beyond [`super::TERMS_BYTES`].
#[must_use]
pub fn terms_too_long() -> Refusal {
    Refusal::new(Code::TooLarge, "The terms of this hold are too long.")
}

/// A pick that names no place of the event, or one twice; `field` is its path.
#[must_use]
pub fn unsound_pick(field: &str) -> Refusal {
    Refusal::invalid(field, "There is no such place, or it is named twice.")
}

/// More than [`PLACES_PER_HOLD`].
#[must_use]
pub fn places_per_hold() -> Refusal {
    Refusal::limit("places_per_hold", u64::from(PLACES_PER_HOLD), "That is more than one hold may have.")
}

/// More than [`HOLDS_PER_SESSION`].
#[must_use]
pub fn holds_per_session() -> Refusal {
    Refusal::limit(OPEN_HOLDS, u64::from(HOLDS_PER_SESSION), "You have too many holds open.")
}

/// More places than the request allows a session to have at once.
#[must_use]
pub fn places_per_session(most: u32) -> Refusal {
    Refusal::limit("places_per_session", u64::from(most), "That is more than one buyer may hold at once.")
}

/// More places than the request allows a client address to have at once.
#[must_use]
pub fn places_per_address(most: u32) -> Refusal {
    let detail = "So many places are held from your network already. Orders and expired holds make room; try again in a few minutes.";
    Refusal::limit(PLACES_PER_ADDRESS, u64::from(most), detail)
}

/// A range without enough free places.
#[must_use]
pub fn sold_out() -> Refusal {
    Refusal::new(Code::SoldOut, "There are not enough places left here.")
}

/// Another change of the hold came first.
#[must_use]
pub fn hold_changed() -> Refusal {
    Refusal::new(Code::HoldChanged, "The hold was changed meanwhile. Look at it and try again.")
}

/// An order is being written from the hold.
#[must_use]
pub fn being_ordered() -> Refusal {
    Refusal::new(Code::AlreadyOrdered, "An order is being made from this hold.")
}

/// The hold became `order`.
#[must_use]
pub fn ordered(order: OrderId) -> Refusal {
    Refusal::new(Code::AlreadyOrdered, "This hold became an order.").with(|evidence| evidence.order = Some(order))
}

/// The hold went with an older state of the store.
#[must_use]
pub fn hold_lost() -> Refusal {
    Refusal::new(Code::HoldLost, "The hold was lost on our side. Please choose your places again.")
}

/// The hold lapsed, was given back, or never was.
#[must_use]
pub fn hold_expired() -> Refusal {
    Refusal::new(Code::HoldExpired, "The time to buy these places ran out.")
}

/// More scans than a store keeps for cold.
#[must_use]
pub fn too_many_kept() -> Refusal {
    Refusal::new(Code::OfflineRules, "No more scans can be kept.")
}

/// Cold is asked about the ticket by another act; see `scanning::entry::rests_on_unseen`.
#[must_use]
pub fn asked_elsewhere() -> Refusal {
    Refusal::new(Code::OfflineRules, "The durable store was being asked about this ticket when it went away.")
}
