//! How long a step took, and a pause between two looks. The one place in this crate that knows a clock.

use std::fmt;
use std::time::{Duration, Instant};

/// Started when made.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "durations of build steps are measured here and nowhere else")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A pause between two looks at something that has a deadline of its own.
#[expect(clippy::disallowed_methods, reason = "this program has no runtime whose threads a pause could hold up")]
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// A duration as a person says it: `0.4 s`, `12.3 s`, `4 min 05 s`.
pub struct Spoken(pub Duration);

impl fmt::Display for Spoken {
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
    fn durations_are_spoken_in_the_unit_that_fits() {
        for (millis, spoken) in [(40, "0.0 s"), (12_340, "12.3 s"), (60_000, "1 min 00 s"), (245_900, "4 min 05 s")] {
            assert_eq!(Spoken(Duration::from_millis(millis)).to_string(), spoken);
        }
    }
}
