//! What the provider is told at start, and how long it takes over things.
//!
//! Never: an environment variable or a file of its own; the binary reads those.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::sandbox::signature::CallbackSecret;

/// The most charges, refunds and barred keys together in one data file; about 500 bytes of memory each.
pub const MOST_RECORDS: usize = 1_000_000;

/// How the provider is run.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes the last port again if it is free, else any.
    pub listen: SocketAddr,
    /// The durable file; its lock file stands beside it.
    pub data_file: PathBuf,
    /// Signs callbacks, and believes `PUT /callback-url`.
    pub callback_secret: CallbackSecret,
    /// Where callbacks go; absent keeps what the data file remembers, and callbacks wait while it remembers nothing.
    pub callback_url: Option<String>,
    /// True: ends when its standard input ends, as a child of the process that holds the other end.
    pub exit_with_parent: bool,
    /// How long it takes over things.
    pub delays: Delays,
    /// The most records, [`MOST_RECORDS`] unless a test wants fewer.
    pub most_records: usize,
}

impl SandboxConfig {
    /// The defaults around what has none.
    #[must_use]
    pub fn new(listen: SocketAddr, data_file: impl Into<PathBuf>, callback_secret: CallbackSecret) -> Self {
        Self {
            listen,
            data_file: data_file.into(),
            callback_secret,
            callback_url: None,
            exit_with_parent: false,
            delays: Delays::default(),
            most_records: MOST_RECORDS,
        }
    }
}

/// How long the provider takes over things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// `twice` and `lost` capture this long after they arrived.
    pub short: Duration,
    /// `slow` captures this long after it arrived.
    pub slow: Duration,
    /// `late` captures this long after `pay_by`: longer than the grace that shops give.
    pub late: Duration,
    /// `timeout` keeps its caller for at most this long.
    pub hang: Duration,
    /// The pause after the first callback that failed; each further pause is twice as long.
    pub callback_first_pause: Duration,
    /// No pause between two repetitions of a callback is longer.
    pub callback_longest_pause: Duration,
    /// A callback unanswered for this long has failed.
    pub callback_deadline: Duration,
    /// A callback is given up this long after its charge was settled.
    pub callback_life: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            short: Duration::from_millis(500),
            slow: Duration::from_secs(3),
            late: Duration::from_secs(8),
            hang: Duration::from_secs(600),
            callback_first_pause: Duration::from_millis(500),
            callback_longest_pause: Duration::from_secs(30),
            callback_deadline: Duration::from_secs(5),
            callback_life: Duration::from_secs(3 * 24 * 3600),
        }
    }
}

impl Delays {
    /// The same with the waits of `short`, `slow`, `late` and between callbacks multiplied by `time_scale`, so that tests need not wait.
    /// Limits (`hang`, deadline and life of a callback) stay. A scale that is negative or no number counts as zero.
    #[must_use]
    pub fn scaled(self, time_scale: f64) -> Self {
        let scale = |span: Duration| Duration::try_from_secs_f64(span.as_secs_f64() * time_scale).unwrap_or_default();
        Self {
            short: scale(self.short),
            slow: scale(self.slow),
            late: scale(self.late),
            callback_first_pause: scale(self.callback_first_pause),
            callback_longest_pause: scale(self.callback_longest_pause),
            ..self
        }
    }

    /// The pause after a callback failed for the `failures`th time.
    #[must_use]
    pub fn callback_pause(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.callback_first_pause.saturating_mul(factor).min(self.callback_longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let delays = Delays::default();
        let rows = [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000), (40, 30_000), (u32::MAX, 30_000)];
        for (failures, millis) in rows {
            assert_eq!(delays.callback_pause(failures), Duration::from_millis(millis), "{failures}");
        }
    }

    #[test]
    fn a_scale_changes_waits_and_keeps_limits() {
        let delays = Delays::default().scaled(0.01);
        assert_eq!(delays.slow, Duration::from_millis(30));
        assert_eq!(delays.callback_longest_pause, Duration::from_millis(300));
        assert_eq!(delays.callback_deadline, Delays::default().callback_deadline);
        assert_eq!(Delays::default().scaled(-1.0).slow, Duration::ZERO);
        assert_eq!(Delays::default().scaled(f64::NAN).slow, Duration::ZERO);
    }
}
