//! Configures the provider's address, data file, secret and delays.
//!
//! Never: an environment variable or a configuration file; the binary reads those.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::signature::CallbackSecret;

/// Limits charges, refunds and barred keys together in one data file; each takes about 500 bytes of memory.
pub const RECORDS_MAX: usize = 1_000_000;

/// How the provider is run.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes the previous provider's port again if it is free, else any.
    pub listen: SocketAddr,
    /// The durable file; its lock file is `<data_file>.lock`.
    pub data_file: PathBuf,
    /// Signs callbacks, and verifies `PUT /callback-url` and the authorization of calls.
    pub callback_secret: CallbackSecret,
    /// Where callbacks go. Absent: the URL that the data file remembers; callbacks wait while there is none.
    pub callback_url: Option<String>,
    /// True: the process ends when its standard input ends, so that it does not outlive the parent that holds the other end.
    pub exit_with_parent: bool,
    /// Delays of captures and callbacks.
    pub delays: Delays,
    /// [`RECORDS_MAX`] unless a test wants fewer.
    pub records_max: usize,
}

impl SandboxConfig {
    /// A configuration with defaults for everything but these three.
    #[must_use]
    pub fn new(listen: SocketAddr, data_file: impl Into<PathBuf>, callback_secret: CallbackSecret) -> Self {
        Self {
            listen,
            data_file: data_file.into(),
            callback_secret,
            callback_url: None,
            exit_with_parent: false,
            delays: Delays::default(),
            records_max: RECORDS_MAX,
        }
    }
}

/// Delays of captures and callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// `twice` and `lost` capture this long after they arrived.
    pub short: Duration,
    /// `slow` captures this long after it arrived.
    pub slow: Duration,
    /// `late` captures this long after `pay_by`: longer than the grace that shops give.
    pub late: Duration,
    /// `timeout` holds its caller's connection for at most this long.
    pub hang: Duration,
    /// The pause after the first failure of a callback; each further pause is twice as long.
    pub callback_backoff_first: Duration,
    /// Limits the pause between two attempts of a callback.
    pub callback_backoff_max: Duration,
    /// An attempt without an answer for this long has failed.
    pub callback_timeout: Duration,
    /// A callback is given up this long after its charge was settled.
    pub callback_lifetime: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            short: Duration::from_millis(500),
            slow: Duration::from_secs(3),
            late: Duration::from_secs(8),
            hang: Duration::from_secs(600),
            callback_backoff_first: Duration::from_millis(500),
            callback_backoff_max: Duration::from_secs(30),
            callback_timeout: Duration::from_secs(5),
            callback_lifetime: Duration::from_secs(3 * 24 * 3600),
        }
    }
}

impl Delays {
    /// Multiplies `short`, `slow`, `late` and the callback backoff by `time_scale`, so that tests need not wait. The limits (`hang`,
    /// timeout and lifetime of a callback) stay. A scale that is negative or not a number counts as zero.
    #[must_use]
    pub fn scaled(self, time_scale: f64) -> Self {
        let scale = |span: Duration| Duration::try_from_secs_f64(span.as_secs_f64() * time_scale).unwrap_or_default();
        Self {
            short: scale(self.short),
            slow: scale(self.slow),
            late: scale(self.late),
            callback_backoff_first: scale(self.callback_backoff_first),
            callback_backoff_max: scale(self.callback_backoff_max),
            ..self
        }
    }

    /// The pause after a callback failed for the `failures`th time.
    #[must_use]
    pub fn callback_backoff(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.callback_backoff_first.saturating_mul(factor).min(self.callback_backoff_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callback_backoff_doubles_up_to_its_maximum() {
        let delays = Delays::default();
        let rows = [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000), (40, 30_000), (u32::MAX, 30_000)];
        for (failures, millis) in rows {
            assert_eq!(delays.callback_backoff(failures), Duration::from_millis(millis), "{failures}");
        }
    }

    #[test]
    fn time_scale_changes_delays_and_keeps_limits() {
        let delays = Delays::default().scaled(0.01);
        assert_eq!(delays.slow, Duration::from_millis(30));
        assert_eq!(delays.callback_backoff_max, Duration::from_millis(300));
        assert_eq!(delays.callback_timeout, Delays::default().callback_timeout);
        assert_eq!(Delays::default().scaled(-1.0).slow, Duration::ZERO);
        assert_eq!(Delays::default().scaled(f64::NAN).slow, Duration::ZERO);
    }
}
