//! Caches the handles of a metric's series by label values, so that a call site updates a metric without a lock.
//!
//! Never: a series before the exporter is installed (calls do nothing then, so libraries and tests pay nothing); more than
//! [`SERIES_MAX`] series of a metric with an open label. Per-event metrics are in [`crate::per_event_counters`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwapOption;
use foldhash::fast::FixedState;
use metrics::{Counter, Gauge, Histogram, Key, Level, Metadata, Recorder};

use crate::metric::{Metric, OTHER, SERIES_MAX};
use crate::recorder::recorder;

static METADATA: Metadata<'static> = Metadata::new("voelgoed", Level::INFO, None);

/// A handle of a series: counter, gauge or histogram.
pub(crate) trait Handle: Clone + Send + Sync + 'static {
    /// Creates the series `key` if it does not exist.
    fn register(recorder: &dyn Recorder, key: &Key) -> Self;
}

impl Handle for Counter {
    fn register(recorder: &dyn Recorder, key: &Key) -> Self {
        recorder.register_counter(key, &METADATA)
    }
}
impl Handle for Gauge {
    fn register(recorder: &dyn Recorder, key: &Key) -> Self {
        recorder.register_gauge(key, &METADATA)
    }
}
impl Handle for Histogram {
    fn register(recorder: &dyn Recorder, key: &Key) -> Self {
        recorder.register_histogram(key, &METADATA)
    }
}

/// The key of the series of `metric` with these label values.
pub(crate) fn key(metric: &Metric, values: &[&'static str]) -> Key {
    let slice = [metrics::Label::from_static_parts("slice", metric.slice)];
    let own =
        metric.labels.iter().zip(values).map(|(label, value)| metrics::Label::from_static_parts(label.name, value));
    Key::from_parts(metric.name, slice.into_iter().chain(own).collect::<Vec<_>>())
}

/// Handles by label values. A hash map, because comparing routes with equal beginnings costs more than hashing; the keys are our own, so
/// the hash needs no seed.
type Series<H, const N: usize> = HashMap<[&'static str; N], H, FixedState>;

/// The series of one metric with `N` labels.
pub(crate) struct Family<H, const N: usize> {
    metric: &'static Metric,
    /// Every request of every thread reads the map, so reads take no lock; a new series, which is rare, replaces the whole map.
    series: ArcSwapOption<Series<H, N>>,
}

impl<H: Handle, const N: usize> Family<H, N> {
    /// A wrong number of labels does not compile.
    pub(crate) const fn of(metric: &'static Metric) -> Self {
        assert!(metric.labels.len() == N, "as many values as the metric has labels");
        Self { metric, series: ArcSwapOption::const_empty() }
    }

    /// Runs `act` on the handle of the series with these label values; creates the series at its first use.
    pub(crate) fn at(&self, values: [&str; N], act: impl FnOnce(&H)) {
        let Some(recorder) = recorder() else { return };
        let series = self.series.load();
        if let Some(handle) = series.as_ref().and_then(|series| series.get(&values)) {
            return act(handle);
        }
        let full = series.as_ref().is_some_and(|series| series.len() >= SERIES_MAX);
        // Interning leaks the text on purpose: at most SERIES_MAX times per family. Values of closed labels are static.
        let values = std::array::from_fn(|at| match self.metric.labels[at].values {
            [] if full => OTHER,
            [] => intern(values[at]),
            known => known.iter().copied().find(|value| *value == values[at]).unwrap_or(OTHER),
        });
        // A value that became OTHER has no entry under its own text, so the map is searched again.
        if let Some(handle) = series.as_ref().and_then(|series| series.get(&values)) {
            return act(handle);
        }
        // Two threads that register the same series at once get the same series from the recorder.
        let handle = H::register(recorder, &key(self.metric, &values));
        self.series.rcu(|series| {
            let mut series = series.as_ref().map_or_else(Series::default, |series| Series::clone(series));
            series.insert(values, handle.clone());
            Some(Arc::new(series))
        });
        act(&handle);
    }
}

/// Leaks `text` once per process and returns the leaked copy.
fn intern(text: &str) -> &'static str {
    static TEXTS: RwLock<std::collections::BTreeSet<&'static str>> = RwLock::new(std::collections::BTreeSet::new());
    if let Some(known) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(text) {
        return known;
    }
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let leaked: &'static str = Box::leak(text.into());
    texts.insert(leaked);
    leaked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Label;

    const COUNTED: Metric = Metric::counter("test", "test_family_counted_total", &[Label::open("route")], "Counts.");
    const FULL: Metric = Metric::counter("test", "test_family_full_total", &[Label::open("route")], "Counts.");
    const CLOSED: Metric =
        Metric::counter("test", "test_family_closed_total", &[Label::closed("colour", &["red", "blue"])], "Counts.");

    #[test]
    fn each_label_value_has_its_own_count() {
        static FAMILY: Family<Counter, 1> = Family::of(&COUNTED);
        let exporter = crate::install("test");
        FAMILY.at(["/a"], |counter| counter.increment(1));
        FAMILY.at([&String::from("/a")], |counter| counter.increment(2));
        FAMILY.at(["/b"], |counter| counter.increment(5));
        let text = exporter.render();
        let line = |route, count| {
            format!(
                "test_family_counted_total{{service_type=\"{}\",slice=\"test\",route=\"{route}\"}} {count}\n",
                exporter.service()
            )
        };
        assert!(text.contains(&line("/a", 3)), "{text}");
        assert!(text.contains(&line("/b", 5)), "{text}");
    }

    #[test]
    fn value_past_the_series_limit_and_unknown_closed_value_become_other() {
        static FAMILY: Family<Counter, 1> = Family::of(&FULL);
        static COLOURS: Family<Counter, 1> = Family::of(&CLOSED);
        let exporter = crate::install("test");
        for n in 0..SERIES_MAX + 50 {
            FAMILY.at([&format!("/{n}")], |counter| counter.increment(1));
        }
        COLOURS.at(["green"], |counter| counter.increment(1));
        let text = exporter.render();
        let series = text.lines().filter(|line| line.starts_with("test_family_full_total{")).count();
        assert_eq!(series, SERIES_MAX + 1);
        assert!(
            text.lines()
                .any(|line| line.starts_with("test_family_full_total{") && line.ends_with("route=\"other\"} 50"))
        );
        assert!(
            text.lines().any(|line| line.starts_with("test_family_closed_total{") && line.contains("colour=\"other\""))
        );
        assert!(!text.contains("green"));
        let first = COLOURS.series.load_full();
        COLOURS.at(["purple"], |counter| counter.increment(1));
        let second = COLOURS.series.load_full();
        assert!(
            first.zip(second).is_some_and(|(first, second)| Arc::ptr_eq(&first, &second)),
            "a second unknown value reuses the series"
        );
    }
}
