//! Measures how long something took, for a metric and nothing else.
//!
//! Never: a moment in time, or a span that decides anything; rules take `now` as an argument.

use std::time::{Duration, Instant};

/// A running measurement.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one lawful place where a duration is measured for a metric")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
