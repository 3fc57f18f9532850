//! Installs the process's metric recorder, registers every listed metric with its initial series, and renders Prometheus' text format.
//!
//! Never: a socket (the web crate serves the text); a metric outside of the list.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::family::{Handle, key};
use crate::metric::{Metric, MetricKind};
use crate::stopwatch::Stopwatch;
use crate::{metrics as list, per_event_counters, recorder};

/// Interval for [`Exporter::run_upkeep`]. Between two calls histograms keep each observation (8 bytes).
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// The process's metrics.
pub struct Exporter {
    handle: PrometheusHandle,
    service: String,
    uptime: Stopwatch,
}

/// Installs the exporter of this process, or returns the installed one.
///
/// `service` is the role (`web`, `worker`, `all`), the label `service_type` of every series.
pub fn install(service: &str) -> &'static Exporter {
    EXPORTER.get_or_init(|| Exporter::new(service))
}

impl Exporter {
    fn new(service: &str) -> Self {
        let mut builder = PrometheusBuilder::new().add_global_label("service_type", service);
        for metric in list::all() {
            if let MetricKind::Histogram(buckets) = metric.kind {
                let full = Matcher::Full(metric.name.to_owned());
                // Fails only for an empty list; a test checks that no bucket constant is empty.
                builder = builder.set_buckets_for_metric(full, buckets).unwrap_or_default();
            }
        }
        let recorder = builder.build_recorder();
        list::all().filter(|metric| !metric.is_per_event()).for_each(|metric| register(&recorder, metric));
        let handle = recorder.handle();
        recorder::install(recorder);
        Self { handle, service: service.to_owned(), uptime: Stopwatch::start() }
    }

    /// The label `service_type`.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        list::process::observe(self.uptime.elapsed());
        let mut text = self.handle.render();
        for metric in list::live_event::ALL {
            let _ = writeln!(text, "# HELP {} {}\n# TYPE {} counter", metric.name, metric.help, metric.name);
            per_event_counters::render(metric, &self.service, &mut text);
            text.push('\n');
        }
        text
    }

    /// Moves pending observations into buckets; call it once per [`UPKEEP_INTERVAL`].
    pub fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// Describes `metric` and creates its initial series.
fn register(recorder: &PrometheusRecorder, metric: &Metric) {
    let unit: Option<Unit> = Some(metric.unit);
    match metric.kind {
        MetricKind::Counter => recorder.describe_counter(metric.name.into(), unit, metric.help.into()),
        MetricKind::Gauge => recorder.describe_gauge(metric.name.into(), unit, metric.help.into()),
        MetricKind::Histogram(_) => recorder.describe_histogram(metric.name.into(), unit, metric.help.into()),
    }
    for values in metric.initial_series() {
        let key = key(metric, &values);
        match metric.kind {
            MetricKind::Counter => drop(metrics::Counter::register(recorder, &key)),
            MetricKind::Gauge => drop(metrics::Gauge::register(recorder, &key)),
            MetricKind::Histogram(_) => drop(metrics::Histogram::register(recorder, &key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_metric_is_described_and_rendered_from_the_start() {
        let text = install("test").render();
        for metric in list::all() {
            let help = format!("# HELP {} {}\n", metric.name, metric.help);
            assert!(text.contains(&help), "no help for {}", metric.name);
            let has_series = text.lines().any(|line| line.starts_with(metric.name) && line.contains("slice=\""));
            assert!(has_series, "no series of {}", metric.name);
        }
    }

    #[test]
    fn histogram_uses_the_buckets_of_its_metric() {
        let exporter = install("test");
        list::ticketing::hold_granted(uuid::Uuid::nil(), Duration::from_millis(3));
        exporter.run_upkeep();
        let text = exporter.render();
        assert!(text.contains("# TYPE voelgoed_hold_seconds histogram"), "{text}");
        assert!(text.lines().any(|l| l.starts_with("voelgoed_hold_seconds_bucket{") && l.contains("le=\"0.005\"")));
    }

    #[test]
    fn second_install_returns_the_first_exporter() {
        assert!(std::ptr::eq(install("test"), install("again")));
    }
}
