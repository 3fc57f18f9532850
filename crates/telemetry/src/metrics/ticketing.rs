//! Metrics of holds: outcome, duration, end; retries of best available; refusals per address.

use std::time::Duration;

use metrics::{Counter, Histogram};
use uuid::Uuid;

use crate::family::Family;
use crate::metric::{FAST, Label, Metric, Unit, label_values};
use crate::metrics::live_event::EventCounter;
use crate::per_event_counters;

const OUTCOME: Label = Label::open("outcome");

/// Hold requests.
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
    "Time to decide a hold, granted or refused, without HTTP.",
);
/// Holds that ended.
pub const HOLDS_ENDED_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_holds_ended_total",
    &[HoldEnd::LABEL],
    "Holds that ended: ordered, released by the buyer, expired, or lost with the warm tier.",
);
/// Retries of best available.
pub const BEST_AVAILABLE_RETRIES_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_best_available_retries_total",
    &[],
    "Choices of best available that lost a race and were repeated on a newer snapshot.",
);

/// Refusals because of the limit per client address.
pub const PLACES_PER_ADDRESS_REFUSED_TOTAL: Metric = Metric::counter(
    "ticketing",
    "voelgoed_places_per_address_refused_total",
    &[],
    "Holds and changes refused because the holds of their client address have reached the limit of places of the event; an alarm.",
);

label_values! {
    /// How a hold ended.
    HoldEnd = "end" {
        /// By an order.
        Ordered = "ordered",
        /// By its buyer.
        Released = "released",
        /// By expiry.
        Expired = "expired",
        /// By a loss in the warm tier.
        Lost = "lost",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] =
    &[HOLDS_TOTAL, HOLD_SECONDS, HOLDS_ENDED_TOTAL, BEST_AVAILABLE_RETRIES_TOTAL, PLACES_PER_ADDRESS_REFUSED_TOTAL];

static HOLDS: Family<Counter, 1> = Family::of(&HOLDS_TOTAL);
static DURATION: Family<Histogram, 0> = Family::of(&HOLD_SECONDS);
static ENDED: Family<Counter, 1> = Family::of(&HOLDS_ENDED_TOTAL);
static RETRIES: Family<Counter, 0> = Family::of(&BEST_AVAILABLE_RETRIES_TOTAL);

static ADDRESS_REFUSED: Family<Counter, 0> = Family::of(&PLACES_PER_ADDRESS_REFUSED_TOTAL);

/// Counts a request beyond the limit of places per client address.
pub fn places_per_address_refused() {
    ADDRESS_REFUSED.at([], |counter| counter.increment(1));
}

/// Counts a granted hold.
pub fn hold_granted(event: Uuid, took: Duration) {
    HOLDS.at(["granted"], |counter| counter.increment(1));
    DURATION.at([], |histogram| histogram.record(took));
    per_event_counters::count(event, EventCounter::HoldsGranted, 1);
}

/// Counts a hold that was refused with a stable code.
pub fn hold_refused(event: Uuid, code: &'static str, took: Duration) {
    HOLDS.at([code], |counter| counter.increment(1));
    DURATION.at([], |histogram| histogram.record(took));
    per_event_counters::count(event, EventCounter::HoldsRefused, 1);
}

/// Adds holds that ended.
pub fn holds_ended(end: HoldEnd, holds: u64) {
    ENDED.at([end.as_str()], |counter| counter.increment(holds));
}

/// Counts a choice of best available that lost a race.
pub fn best_available_retried() {
    RETRIES.at([], |counter| counter.increment(1));
}
