//! The registry behind the metrics and their text for Prometheus.
//!
//! Never: a socket (the web surface serves the text), a metric that is not in the list. Promise: installed once, first in `main`; from then
//! on every listed metric is described and shown, zero or not.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::family::{Handle, key};
use crate::metric::{Kind, Metric};
use crate::stopwatch::Stopwatch;
use crate::{live_events, metrics as list};

/// How often [`Exporter::run_upkeep`] wants to be called; between two calls histograms keep each observation (8 bytes).
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// The process's metrics.
pub struct Exporter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    service: String,
    running: Stopwatch,
}

/// Installs the registry for this process, or returns the one that is there.
/// `service` is the role (`web`, `worker`, `all`), the label `service_type` of every series.
pub fn install(service: &str) -> &'static Exporter {
    let exporter = EXPORTER.get_or_init(|| Exporter::new(service));
    // For code that uses the `metrics` facade; where a test has set its own, our functions still reach ours.
    let _ = metrics::set_global_recorder(&exporter.recorder);
    exporter
}

/// The registry, once installed.
pub(crate) fn recorder() -> Option<&'static dyn Recorder> {
    EXPORTER.get().map(|exporter| &exporter.recorder as &dyn Recorder)
}

impl Exporter {
    fn new(service: &str) -> Self {
        let mut builder = PrometheusBuilder::new().add_global_label("service_type", service);
        for metric in list::all() {
            if let Kind::Histogram(buckets) = metric.kind {
                let full = Matcher::Full(metric.name.to_owned());
                // Refused only for an empty list, and no bucket constant is empty (a test says so).
                builder = builder.set_buckets_for_metric(full, buckets).unwrap_or_default();
            }
        }
        let recorder = builder.build_recorder();
        list::all().filter(|metric| !metric.is_per_event()).for_each(|metric| first(&recorder, metric));
        let handle = recorder.handle();
        Self { recorder, handle, service: service.to_owned(), running: Stopwatch::start() }
    }

    /// The role of this process, the label `service_type`.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        list::process::observe(self.running.elapsed());
        let mut text = self.handle.render();
        for metric in list::live_event::ALL {
            let _ = writeln!(text, "# HELP {} {}\n# TYPE {} counter", metric.name, metric.help, metric.name);
            live_events::render(metric, &self.service, &mut text);
            text.push('\n');
        }
        text
    }

    /// Folds waiting observations into buckets; call it each [`UPKEEP_EVERY`].
    pub fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// Describes `metric` and makes the series exist that it has before anything happened.
fn first(recorder: &PrometheusRecorder, metric: &Metric) {
    let unit: Option<Unit> = Some(metric.unit);
    match metric.kind {
        Kind::Counter => recorder.describe_counter(metric.name.into(), unit, metric.help.into()),
        Kind::Gauge => recorder.describe_gauge(metric.name.into(), unit, metric.help.into()),
        Kind::Histogram(_) => recorder.describe_histogram(metric.name.into(), unit, metric.help.into()),
    }
    for values in metric.first_series() {
        let key = key(metric, &values);
        match metric.kind {
            Kind::Counter => drop(metrics::Counter::register(recorder, &key)),
            Kind::Gauge => drop(metrics::Gauge::register(recorder, &key)),
            Kind::Histogram(_) => drop(metrics::Histogram::register(recorder, &key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_metric_is_described_and_shown_before_anything_happened() {
        let text = install("test").render();
        for metric in list::all() {
            let help = format!("# HELP {} {}\n", metric.name, metric.help);
            assert!(text.contains(&help), "no help for {}", metric.name);
            let shown = text.lines().any(|line| line.starts_with(metric.name) && line.contains("slice=\""));
            assert!(shown, "no series of {}", metric.name);
        }
    }

    #[test]
    fn histograms_use_the_buckets_of_the_list() {
        let exporter = install("test");
        list::ticketing::hold_granted(uuid::Uuid::nil(), Duration::from_millis(3));
        exporter.run_upkeep();
        let text = exporter.render();
        assert!(text.contains("# TYPE voelgoed_hold_seconds histogram"), "{text}");
        assert!(text.lines().any(|l| l.starts_with("voelgoed_hold_seconds_bucket{") && l.contains("le=\"0.005\"")));
    }

    #[test]
    fn installing_twice_keeps_the_first() {
        assert!(std::ptr::eq(install("test"), install("again")));
    }
}
