//! What the platform tells about itself: every metric and every span name in one list, the exporter, the log format.
//!
//! Never: a slice's types, a decision, a label whose number of values has no limit (P9). Promise: a figure that is not in the list does
//! not exist, and each figure in the list is on `/metrics` from the first second on.
//! To add a metric: a `pub const NAME: Metric` and one function in `metrics/<area>.rs`, plus its line in that file's `ALL`.

pub mod exporter;
mod family;
pub mod live_events;
pub mod logging;
pub mod metric;
pub mod metrics;
pub mod spans;
pub mod stopwatch;
pub mod touch;

pub use exporter::{Exporter, UPKEEP_EVERY, install};
pub use logging::{LogConfig, LogFormat, init_logging};
pub use metric::{Kind, Label, Metric};
pub use stopwatch::Stopwatch;
