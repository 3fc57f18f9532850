//! Measures how long a step takes and pauses polling loops; the only module of this crate that reads a clock.

use std::fmt;
use std::time::{Duration, Instant};

/// Measures a duration from its creation.
pub struct StepTimer(Instant);

impl StepTimer {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "durations of build steps are measured here and nowhere else")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since [`StepTimer::start`].
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Blocks the thread between two polls; the caller keeps the deadline.
#[expect(clippy::disallowed_methods, reason = "this program has no runtime whose threads a pause could hold up")]
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Formats a duration for people: `0.4 s`, `12.3 s`, `4 min 05 s`.
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds < 60 {
            return write!(f, "{:.1} s", self.0.as_secs_f64());
        }
        write!(f, "{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_above_a_minute_are_shown_in_minutes_and_seconds() {
        for (millis, expected) in [(40, "0.0 s"), (12_340, "12.3 s"), (60_000, "1 min 00 s"), (245_900, "4 min 05 s")] {
            assert_eq!(HumanDuration(Duration::from_millis(millis)).to_string(), expected);
        }
    }
}
