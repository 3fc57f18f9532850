//! Builds the refusals of an inventory, so that every store answers with the same codes, texts and evidence.

use crate::ids::OrderId;
use crate::refusal::{Code, Refusal};
use crate::ticketing::hold_limits::{HOLDS_PER_SESSION_MAX, PLACES_PER_HOLD_MAX};
use crate::ticketing::limits::{OPEN_HOLDS, PLACES_PER_ADDRESS};

/// The request has no picks.
#[must_use]
pub fn no_picks() -> Refusal {
    Refusal::invalid("items", "Choose at least one place.")
}

/// Longer than [`HOLD_DURATION_MAX`](crate::ticketing::hold_limits::HOLD_DURATION_MAX).
#[must_use]
pub fn hold_too_long() -> Refusal {
    Refusal::invalid(
        "lasts_millis",
        "This is longer than a hold may last. Nothing was changed; request a shorter hold.",
    )
}

/// Terms longer than [`TERMS_BYTES_MAX`](crate::ticketing::hold_limits::TERMS_BYTES_MAX).
#[must_use]
pub fn terms_too_long() -> Refusal {
    Refusal::new(Code::TooLarge, "The terms of this hold are too long. Nothing was changed; choose fewer places.")
}

/// A pick that names an unknown place, or a place twice; `field` is its path in the request.
#[must_use]
pub fn invalid_pick(field: &str) -> Refusal {
    Refusal::invalid(field, "The event has no such place, or it is named twice. Nothing was changed.")
}

/// More than [`PLACES_PER_HOLD_MAX`].
#[must_use]
pub fn places_per_hold() -> Refusal {
    Refusal::limit(
        "places_per_hold",
        u64::from(PLACES_PER_HOLD_MAX),
        "This is more than one hold may have. Nothing was changed; choose fewer places.",
    )
}

/// More than [`HOLDS_PER_SESSION_MAX`].
#[must_use]
pub fn holds_per_session() -> Refusal {
    Refusal::limit(
        OPEN_HOLDS,
        u64::from(HOLDS_PER_SESSION_MAX),
        "You have too many open holds. Buy or release one first.",
    )
}

/// More places than the request allows a session to hold at once.
#[must_use]
pub fn places_per_session(places_max: u32) -> Refusal {
    Refusal::limit(
        "places_per_session",
        u64::from(places_max),
        "This is more than one buyer may hold at once. Nothing was changed; choose fewer places.",
    )
}

/// More places than the request allows a client address to hold at once.
#[must_use]
pub fn places_per_address(places_max: u32) -> Refusal {
    let detail = "Too many places are already held from your network. Nothing was changed; try again in a few minutes, after holds there were bought or expired.";
    Refusal::limit(PLACES_PER_ADDRESS, u64::from(places_max), detail)
}

/// A range has too few free places.
#[must_use]
pub fn sold_out() -> Refusal {
    Refusal::new(Code::SoldOut, "There are not enough free places left here. Nothing was changed.")
}

/// The hold has another version than the change was made from.
#[must_use]
pub fn hold_changed() -> Refusal {
    Refusal::new(
        Code::HoldChanged,
        "The hold was changed in the meantime. This change was not applied; read the hold and try again.",
    )
}

/// An order is being written from the hold.
#[must_use]
pub fn order_in_progress() -> Refusal {
    Refusal::new(
        Code::AlreadyOrdered,
        "An order is being created from this hold. Wait for it, or try again in a minute.",
    )
}

/// The hold became `order`.
#[must_use]
pub fn already_ordered(order: OrderId) -> Refusal {
    Refusal::new(Code::AlreadyOrdered, "This hold became an order; it can no longer be changed.")
        .with(|evidence| evidence.order = Some(order))
}

/// The hold was lost with an earlier epoch of the store.
#[must_use]
pub fn hold_lost() -> Refusal {
    Refusal::new(
        Code::HoldLost,
        "The hold was lost by a fault on our side. Nothing was charged; please choose your places again.",
    )
}

/// The hold expired, was released, or never existed.
#[must_use]
pub fn hold_expired() -> Refusal {
    Refusal::new(
        Code::HoldExpired,
        "The time to buy these places ran out. Nothing was charged; choose your places again.",
    )
}

/// The offline scan journal is full.
#[must_use]
pub fn offline_scans_full() -> Refusal {
    Refusal::new(
        Code::OfflineRules,
        "No more offline scans can be recorded. This scan was not recorded; repeat it when the database is available.",
    )
}

/// An unresolved intent of another scan or revocation covers the ticket; see `scanning::entry::relies_on_unseen`.
#[must_use]
pub fn scan_intent_pending() -> Refusal {
    Refusal::new(
        Code::OfflineRules,
        "An earlier scan or revocation of this ticket is unresolved. Repeat the scan when the database is available.",
    )
}
