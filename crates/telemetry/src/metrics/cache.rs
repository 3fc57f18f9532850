//! Caches of this node, by name.

use metrics::Counter;

use crate::family::Family;
use crate::metric::{Label, Metric, label_values};

const CACHE: Label = Label::open("cache");

/// Reads of caches.
pub const CACHE_READS_TOTAL: Metric = Metric::counter(
    "hot",
    "voelgoed_cache_reads_total",
    &[CACHE, CacheRead::LABEL],
    "Reads of this node's caches: hit, stale (served while it is read anew) or miss.",
);

label_values! {
    /// What a read of a cache met.
    CacheRead = "result" {
        /// Fresh.
        Hit = "hit",
        /// Old, and served all the same.
        Stale = "stale",
        /// Not there, or too old.
        Miss = "miss",
    }
}

/// The list.
pub const ALL: &[Metric] = &[CACHE_READS_TOTAL];

static READS: Family<Counter, 2> = Family::of(&CACHE_READS_TOTAL);

/// A cache was read; `cache` is its name (`listings`, `keys`, …).
pub fn cache_read(cache: &'static str, result: CacheRead) {
    READS.at([cache, result.as_str()], |counter| counter.increment(1));
}
