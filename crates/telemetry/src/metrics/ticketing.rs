//! Holds: granted, refused and why, how long they took, how they ended.

use std::time::Duration;

use metrics::{Counter, Histogram};
use uuid::Uuid;

use crate::family::Family;
use crate::live_events;
use crate::metric::{FAST, Label, Metric, Unit, label_values};
use crate::metrics::live_event::Figure;

const OUTCOME: Label = Label::open("outcome");

/// Holds by outcome.
pub const HOLDS_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_holds_total",
    &[OUTCOME],
    "Hold requests by outcome: granted, or the code of the refusal.",
);
/// Time to decide a hold.
pub const HOLD_SECONDS: Metric = Metric::histogram(
    "ticketing",
    "voelgoed_hold_seconds",
    Unit::Seconds,
    FAST,
    &[],
    "Time to decide a hold, granted or refused, without the HTTP surface.",
);
/// Holds that ended.
pub const HOLDS_ENDED_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_holds_ended_total",
    &[HoldEnd::LABEL],
    "Holds that ended: ordered, released by the buyer, expired, or lost with the warm tier.",
);
/// Attempts of best available.
pub const BEST_AVAILABLE_RETRIES_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_best_available_retries_total",
    &[],
    "Choices of best available that lost a race and were made again on a fresh snapshot.",
);

/// Refused because of the client's address.
pub const PLACES_PER_ADDRESS_REFUSED_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_places_per_address_refused_total",
    &[],
    "Holds and changes refused because the holds of their client address have as many places of the event as they may; an alarm.",
);

label_values! {
    /// How a hold ended.
    HoldEnd = "end" {
        /// It became an order.
        Ordered = "ordered",
        /// Its buyer gave it back.
        Released = "released",
        /// Its time ran out.
        Expired = "expired",
        /// The warm tier lost it.
        Lost = "lost",
    }
}

/// The list.
pub const ALL: &[Metric] =
    &[HOLDS_TOTAL, HOLD_SECONDS, HOLDS_ENDED_TOTAL, BEST_AVAILABLE_RETRIES_TOTAL, PLACES_PER_ADDRESS_REFUSED_TOTAL];

static HOLDS: Family<Counter, 1> = Family::of(&HOLDS_TOTAL);
static DURATION: Family<Histogram, 0> = Family::of(&HOLD_SECONDS);
static ENDED: Family<Counter, 1> = Family::of(&HOLDS_ENDED_TOTAL);
static RETRIES: Family<Counter, 0> = Family::of(&BEST_AVAILABLE_RETRIES_TOTAL);

static ADDRESS_REFUSED: Family<Counter, 0> = Family::of(&PLACES_PER_ADDRESS_REFUSED_TOTAL);

/// A client address asked for more places than its holds may have.
pub fn places_per_address_refused() {
    ADDRESS_REFUSED.at([], |counter| counter.increment(1));
}

/// A hold was granted.
pub fn hold_granted(event: Uuid, took: Duration) {
    HOLDS.at(["granted"], |counter| counter.increment(1));
    DURATION.at([], |histogram| histogram.record(took));
    live_events::count(event, Figure::HoldsGranted, 1);
}

/// A hold was refused with a stable code.
pub fn hold_refused(event: Uuid, code: &'static str, took: Duration) {
    HOLDS.at([code], |counter| counter.increment(1));
    DURATION.at([], |histogram| histogram.record(took));
    live_events::count(event, Figure::HoldsRefused, 1);
}

/// `holds` holds ended.
pub fn holds_ended(end: HoldEnd, holds: u64) {
    ENDED.at([end.as_str()], |counter| counter.increment(holds));
}

/// A choice of best available lost a race.
pub fn best_available_retried() {
    RETRIES.at([], |counter| counter.increment(1));
}
