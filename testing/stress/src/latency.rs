//! Latencies with a bounded error: three digits, up to a minute.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest that is told apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// A set of latencies.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        // The bounds are constants that the histogram takes.
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are usable"))
    }
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST);
        self.0.saturating_record(nanos.clamp(1, LONGEST));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// So many of a hundred are at most this, in microseconds.
    #[must_use]
    pub fn micros(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1_000.0
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn millis(&self, percent: f64) -> f64 {
        self.micros(percent) / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_three_digits() {
        let mut latencies = Latencies::default();
        for micros in 1..=1_000 {
            latencies.record(Duration::from_micros(micros));
        }
        for (percent, micros) in [(50.0, 500.0), (99.0, 990.0), (100.0, 1_000.0)] {
            assert!(
                (latencies.micros(percent) - micros).abs() <= micros / 500.0,
                "{percent}: {}",
                latencies.micros(percent)
            );
        }
        assert_eq!(latencies.count(), 1_000);
    }
}
