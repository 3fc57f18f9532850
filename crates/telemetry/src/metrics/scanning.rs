//! Metrics of scans: result, duration, durability, conflicts (P3, P6).

use std::time::Duration;

use metrics::{Counter, Histogram};
use uuid::Uuid;

use crate::family::Family;
use crate::metric::{FAST, Label, Metric, Unit};
use crate::metrics::live_event::EventCounter;
use crate::per_event_counters;

const RESULT: Label = Label::open("result");

/// Scans by result.
pub const SCANS_TOTAL: Metric = Metric::counter(
    "scanning",
    "voelgoed_scans_total",
    &[RESULT],
    "Scans by result: admitted, or the reason of the refusal.",
);
/// Time to answer a scan.
pub const SCAN_SECONDS: Metric = Metric::histogram(
    "scanning",
    "voelgoed_scan_seconds",
    Unit::Seconds,
    FAST,
    &[],
    "Time to answer a scan, durable where the cold tier is up; the goal is a p99 below 50 ms.",
);
/// Scans answered before they were durable.
pub const SCANS_NOT_DURABLE_TOTAL: Metric = Metric::counter(
    "scanning",
    "voelgoed_scans_not_durable_total",
    &[],
    "Scans answered durable: false; the device keeps its copy until the server confirms it.",
);
/// Conflicting scans.
pub const SCAN_CONFLICTS_TOTAL: Metric = Metric::counter(
    "scanning",
    "voelgoed_scan_conflicts_total",
    &[],
    "Tickets that turned out to have been admitted twice while devices were offline.",
);

/// Every metric of this area.
pub const ALL: &[Metric] = &[SCANS_TOTAL, SCAN_SECONDS, SCANS_NOT_DURABLE_TOTAL, SCAN_CONFLICTS_TOTAL];

static SCANS: Family<Counter, 1> = Family::of(&SCANS_TOTAL);
static DURATION: Family<Histogram, 0> = Family::of(&SCAN_SECONDS);
static NOT_DURABLE: Family<Counter, 0> = Family::of(&SCANS_NOT_DURABLE_TOTAL);
static CONFLICTS: Family<Counter, 0> = Family::of(&SCAN_CONFLICTS_TOTAL);

/// Counts a scan that admitted its ticket.
pub fn scan_admitted(event: Uuid, durable: bool, took: Duration) {
    scan("admitted", durable, took);
    per_event_counters::count(event, EventCounter::ScansAdmitted, 1);
}

/// Counts a scan that refused its ticket for a stable reason.
pub fn scan_refused(event: Uuid, reason: &'static str, durable: bool, took: Duration) {
    scan(reason, durable, took);
    per_event_counters::count(event, EventCounter::ScansRefused, 1);
}

/// Counts an offline scan that conflicts with another.
pub fn scan_conflict() {
    CONFLICTS.at([], |counter| counter.increment(1));
}

fn scan(result: &'static str, durable: bool, took: Duration) {
    SCANS.at([result], |counter| counter.increment(1));
    DURATION.at([], |histogram| histogram.record(took));
    if !durable {
        NOT_DURABLE.at([], |counter| counter.increment(1));
    }
}
