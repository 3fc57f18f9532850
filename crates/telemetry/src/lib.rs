//! Defines every metric and span of the platform in one list, exports metrics in Prometheus' text format, and sets up the log.
//!
//! Never: a slice's types; a decision; a label without a limit on its values (P9); a metric outside of the list. `/metrics` shows every
//! listed metric from the start.
//! To add a metric: a `pub const NAME: Metric` and one function in `metrics/<area>.rs`, plus its line in that file's `ALL`.

pub mod exporter;
mod family;
pub mod logging;
pub mod metric;
pub mod metrics;
pub mod per_event_counters;
mod recorder;
pub mod spans;
pub mod stopwatch;
pub mod touch;

pub use exporter::{Exporter, UPKEEP_INTERVAL, install};
pub use logging::{LogConfig, LogFormat, init_logging};
pub use metric::{Label, Metric, MetricKind};
pub use stopwatch::Stopwatch;
