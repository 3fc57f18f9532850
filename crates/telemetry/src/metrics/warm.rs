//! Metrics of calls to the warm tier by script name, and of rebuilds.

use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::family::Family;
use crate::metric::{FAST, Label, Metric, Unit, label_values};

const SCRIPT: Label = Label::open("script");

/// Calls by script and result.
pub const WARM_CALL_SECONDS: Metric = Metric::histogram(
    "warm",
    "voelgoed_warm_call_seconds",
    Unit::Seconds,
    FAST,
    &[SCRIPT, CallEnd::LABEL],
    "Calls to the warm tier by script and result.",
);
/// Rebuilt events.
pub const WARM_REBUILDS_TOTAL: Metric = Metric::counter(
    "warm",
    "voelgoed_warm_rebuilds_total",
    &[],
    "Events whose warm state was rebuilt from the cold tier under a higher epoch.",
);

label_values! {
    /// The result of a call.
    CallEnd = "result" {
        /// Success.
        Done = "done",
        /// Refused by a rule.
        Refused = "refused",
        /// The event is not loaded, or has another epoch.
        Unloaded = "unloaded",
        /// The tier failed.
        Failed = "failed",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[WARM_CALL_SECONDS, WARM_REBUILDS_TOTAL];

static CALLS: Family<Histogram, 2> = Family::of(&WARM_CALL_SECONDS);
static REBUILDS: Family<Counter, 0> = Family::of(&WARM_REBUILDS_TOTAL);

/// Records a call; `script` is its name (`hold`, `pin`, `apply`, …).
pub fn warm_call(script: &'static str, end: CallEnd, took: Duration) {
    CALLS.at([script, end.as_str()], |histogram| histogram.record(took));
}

/// Counts an event whose warm state was rebuilt.
pub fn warm_rebuilt() {
    REBUILDS.at([], |counter| counter.increment(1));
}
