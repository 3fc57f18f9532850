//! Lists every metric, in a file per slice or tier: its constants, then the functions that call sites use.
//!
//! Never: a metric outside of this folder. Names start with `voelgoed_`, counters end in `_total`, times are seconds, sizes bytes.
//! To add an area: a file with `ALL`, and its name twice below.

use crate::metric::Metric;

pub mod cache;
pub mod checkout;
pub mod cold;
pub mod count_streams;
pub mod hot_availability;
pub mod http;
pub mod jobs;
pub mod live_event;
pub mod payments;
pub mod process;
pub mod resilience;
pub mod scanning;
pub mod ticketing;
pub mod warm;

macro_rules! areas {
    ($($area:ident),+ $(,)?) => {
        /// Every metric.
        pub fn all() -> impl Iterator<Item = &'static Metric> {
            [$($area::ALL),+].into_iter().flatten()
        }

        /// The source of each area, for the test that every constant is listed.
        #[cfg(test)]
        const SOURCES: &[&str] = &[$(include_str!(concat!(stringify!($area), ".rs"))),+];
    };
}

areas! {
    count_streams, http, ticketing, checkout, payments, scanning, warm, cold, jobs, hot_availability, cache, resilience, process, live_event,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metric::{MetricKind, Unit};

    #[test]
    fn names_follow_the_convention_and_are_unique() {
        let mut seen = BTreeSet::new();
        for metric in all() {
            let name = metric.name;
            assert!(seen.insert(name), "{name} is listed twice");
            assert!(name.starts_with("voelgoed_"), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == MetricKind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), metric.unit == Unit::Seconds, "{name}");
            assert_eq!(name.ends_with("_bytes"), metric.unit == Unit::Bytes, "{name}");
            assert!(metric.help.ends_with('.') && metric.help.len() > 20, "{name} needs a sentence as help");
            assert!(!metric.slice.is_empty(), "{name}");
        }
    }

    #[test]
    fn every_metric_has_few_initial_series_and_ascending_buckets() {
        for metric in all() {
            assert!(metric.initial_series().len() <= 64, "{} starts with too many series", metric.name);
            if let MetricKind::Histogram(buckets) = metric.kind {
                assert!(!buckets.is_empty() && buckets.is_sorted() && buckets.len() <= 16, "{}", metric.name);
            }
        }
    }

    #[test]
    fn every_constant_is_in_the_list_of_its_area() {
        // rustfmt moves the type of a long name to the next line.
        let is_metric = |text: &&str| {
            let typed = text.split_once(':').map_or("", |(_, after)| after.trim_start());
            typed.starts_with("Metric =")
        };
        let declared: usize = SOURCES.iter().map(|s| s.split("pub const ").skip(1).filter(is_metric).count()).sum();
        assert_eq!(declared, all().count());
    }
}
