//! Metrics of the count streams, which carry counts from the nodes to the cold tier.

use metrics::{Counter, Gauge};

use crate::family::Family;
use crate::metric::{Metric, Unit};

/// Entries collected.
pub const COUNTS_COLLECTED_TOTAL: Metric = Metric::counter(
    "analytics",
    "voelgoed_counts_collected_total",
    &[],
    "Entries of the streams of counts that this worker wrote to the cold tier.",
);
/// Entries not collected yet.
pub const COUNTS_WAITING: Metric = Metric::gauge(
    "analytics",
    "voelgoed_counts_waiting",
    Unit::Count,
    &[],
    "Entries left in the streams of counts after this worker's last round; a growing number means that collection is too slow.",
);
/// Steps lost.
pub const COUNTS_LOST_TOTAL: Metric = Metric::counter(
    "analytics",
    "voelgoed_counts_lost_total",
    &[],
    "Steps that were not counted: too many events were counted while the warm tier was unavailable, or its reply was lost.",
);

/// Every metric of this area.
pub const ALL: &[Metric] = &[COUNTS_COLLECTED_TOTAL, COUNTS_WAITING, COUNTS_LOST_TOTAL];

static COLLECTED: Family<Counter, 0> = Family::of(&COUNTS_COLLECTED_TOTAL);
static WAITING: Family<Gauge, 0> = Family::of(&COUNTS_WAITING);
static LOST: Family<Counter, 0> = Family::of(&COUNTS_LOST_TOTAL);

/// Adds entries that were written to the cold tier.
pub fn counts_collected(entries: usize) {
    COLLECTED.at([], |counter| counter.increment(entries as u64));
}

/// Sets the number of entries left after a round.
pub fn counts_waiting(entries: u64) {
    WAITING.at([], |gauge| gauge.set(entries as f64));
}

/// Adds steps that were not counted.
pub fn counts_lost(steps: u64) {
    LOST.at([], |counter| counter.increment(steps));
}
