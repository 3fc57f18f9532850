//! Metrics of this node's caches, by name.

use metrics::Counter;

use crate::family::Family;
use crate::metric::{Label, Metric, label_values};

const CACHE: Label = Label::open("cache");

/// Reads of caches.
pub const CACHE_READS_TOTAL: Metric = Metric::counter(
    "hot",
    "voelgoed_cache_reads_total",
    &[CACHE, CacheRead::LABEL],
    "Reads of this node's caches: hit, stale (served while it is refreshed) or miss.",
);

label_values! {
    /// The result of a cache read.
    CacheRead = "result" {
        /// Fresh.
        Hit = "hit",
        /// Expired, but served.
        Stale = "stale",
        /// Absent, or too old to serve.
        Miss = "miss",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[CACHE_READS_TOTAL];

static READS: Family<Counter, 2> = Family::of(&CACHE_READS_TOTAL);

/// Counts a read of the cache named `cache` (`listings`, `keys`, …).
pub fn cache_read(cache: &'static str, result: CacheRead) {
    READS.at([cache, result.as_str()], |counter| counter.increment(1));
}
