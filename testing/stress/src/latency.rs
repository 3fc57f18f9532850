//! Records latencies in a histogram with three significant digits, up to a minute.

use std::time::Duration;

use hdrhistogram::Histogram;

const LATENCY_NANOS_MAX: u64 = 60_000_000_000;

/// A set of latencies.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        // The bounds are valid constants.
        Self(Histogram::new_with_bounds(1, LATENCY_NANOS_MAX, 3).expect("the bounds are usable"))
    }
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_NANOS_MAX);
        self.0.saturating_record(nanos.clamp(1, LATENCY_NANOS_MAX));
    }

    /// The number of latencies.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentile in microseconds.
    #[must_use]
    pub fn micros(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1_000.0
    }

    /// The percentile in milliseconds.
    #[must_use]
    pub fn millis(&self, percent: f64) -> f64 {
        self.micros(percent) / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_exact_to_three_digits() {
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
