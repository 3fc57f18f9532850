//! Converts a wait into whole seconds, at least one, for the `Retry-After` header.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// A wait in whole seconds, 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RetryAfter(u32);

impl RetryAfter {
    /// A wait of `seconds`; 0 is read as 1.
    #[must_use]
    pub const fn seconds(seconds: u32) -> Self {
        Self(if seconds == 0 { 1 } else { seconds })
    }

    /// The value of the header.
    #[must_use]
    pub const fn as_seconds(self) -> u32 {
        self.0
    }
}

impl From<Duration> for RetryAfter {
    /// Rounded up, so that no client retries too early.
    fn from(wait: Duration) -> Self {
        let up = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        Self::seconds(u32::try_from(up).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_rounded_up_and_never_zero() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            assert_eq!(RetryAfter::from(Duration::from_millis(millis)).as_seconds(), seconds, "{millis} ms");
        }
        assert_eq!(RetryAfter::from(Duration::MAX).as_seconds(), u32::MAX);
    }
}
