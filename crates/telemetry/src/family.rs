//! The series of one metric, each handle made once and kept; what a call site's function touches.
//!
//! Never: a series before the exporter is installed (calls are no-ops then, so libraries and tests cost nothing), more than
//! [`SERIES_MAX`] series for an open label. Not for per-event figures: those live in [`crate::live_events`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwapOption;
use foldhash::fast::FixedState;
use metrics::{Counter, Gauge, Histogram, Key, Level, Metadata, Recorder};

use crate::exporter::recorder;
use crate::metric::{Metric, OTHER, SERIES_MAX};

static METADATA: Metadata<'static> = Metadata::new("voelgoed", Level::INFO, None);

/// A kind of handle that a recorder gives out.
pub(crate) trait Handle: Clone + Send + Sync + 'static {
    /// Makes the series `key` exist and returns its handle.
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

/// By the values of the labels. Routes begin alike, so that comparing them costs more than hashing; keys are few and ours, which needs no seed.
type Series<H, const N: usize> = HashMap<[&'static str; N], H, FixedState>;

/// The series of one metric with `N` labels.
pub(crate) struct Family<H, const N: usize> {
    metric: &'static Metric,
    /// Read by every request of every thread, so without a lock; swapped whole for each new series, of which there are few.
    series: ArcSwapOption<Series<H, N>>,
}

impl<H: Handle, const N: usize> Family<H, N> {
    /// The family of `metric`; a wrong number of labels does not compile.
    pub(crate) const fn of(metric: &'static Metric) -> Self {
        assert!(metric.labels.len() == N, "as many values as the metric has labels");
        Self { metric, series: ArcSwapOption::const_empty() }
    }

    /// Runs `act` on the handle of the series with these label values.
    pub(crate) fn at(&self, values: [&str; N], act: impl FnOnce(&H)) {
        let Some(recorder) = recorder() else { return };
        let series = self.series.load();
        if let Some(handle) = series.as_ref().and_then(|series| series.get(&values)) {
            return act(handle);
        }
        let full = series.as_ref().is_some_and(|series| series.len() >= SERIES_MAX);
        // Interning leaks the text on purpose: at most SERIES_MAX times for each family, and closed labels are interned already.
        let values = std::array::from_fn(|at| match self.metric.labels[at].values {
            [] if full => OTHER,
            [] => intern(values[at]),
            known => known.iter().copied().find(|value| *value == values[at]).unwrap_or(OTHER),
        });
        // What is called `other` is met under that name only.
        if let Some(handle) = series.as_ref().and_then(|series| series.get(&values)) {
            return act(handle);
        }
        // Whoever registers the same series at the same moment gets the same one from the recorder.
        let handle = H::register(recorder, &key(self.metric, &values));
        self.series.rcu(|series| {
            let mut series = series.as_ref().map_or_else(Series::default, |series| Series::clone(series));
            series.insert(values, handle.clone());
            Some(Arc::new(series))
        });
        act(&handle);
    }
}

/// One text for each label value in the process, however many metrics use it.
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

    const KEPT: Metric = Metric::counter("test", "test_family_kept_total", &[Label::open("route")], "Counts.");
    const FULL: Metric = Metric::counter("test", "test_family_full_total", &[Label::open("route")], "Counts.");
    const CLOSED: Metric =
        Metric::counter("test", "test_family_closed_total", &[Label::closed("colour", &["red", "blue"])], "Counts.");

    #[test]
    fn a_series_counts_under_its_own_labels() {
        static FAMILY: Family<Counter, 1> = Family::of(&KEPT);
        let exporter = crate::install("test");
        FAMILY.at(["/a"], |counter| counter.increment(1));
        FAMILY.at([&String::from("/a")], |counter| counter.increment(2));
        FAMILY.at(["/b"], |counter| counter.increment(5));
        let text = exporter.render();
        let line = |route, count| {
            format!(
                "test_family_kept_total{{service_type=\"{}\",slice=\"test\",route=\"{route}\"}} {count}\n",
                exporter.service()
            )
        };
        assert!(text.contains(&line("/a", 3)), "{text}");
        assert!(text.contains(&line("/b", 5)), "{text}");
    }

    #[test]
    fn an_open_label_past_its_limit_and_an_unknown_closed_value_become_other() {
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
        let made = COLOURS.series.load_full();
        COLOURS.at(["purple"], |counter| counter.increment(1));
        let then = COLOURS.series.load_full();
        assert!(made.zip(then).is_some_and(|(made, then)| Arc::ptr_eq(&made, &then)), "nothing is made anew for it");
    }
}
