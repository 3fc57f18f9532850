//! Logs a period of refusals as two lines, one at its beginning and one at its end with the number refused.
//!
//! Never: a line per refusal; the caller counts each refusal as a metric.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An outage ends with the first call that passes this long after the last refusal.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// The outages of one limiter, by its kind (`bulkhead`, `rate_limit`) and name.
#[derive(Debug)]
pub(crate) struct OutageLog {
    kind: &'static str,
    name: String,
    /// Whether `outage` is set, so that passing calls take no lock.
    is_open: AtomicBool,
    outage: Mutex<Option<Outage>>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    refused: u64,
    last_refusal: Instant,
}

impl OutageLog {
    pub(crate) fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), is_open: AtomicBool::new(false), outage: Mutex::new(None) }
    }

    /// Records a refusal; true if an outage begins with this one.
    pub(crate) fn refused(&self) -> bool {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = outage.is_none();
        let refused = outage.map_or(0, |outage| outage.refused) + 1;
        *outage = Some(Outage { refused, last_refusal: Instant::now() });
        self.is_open.store(true, Ordering::Release);
        if begins {
            tracing::warn!(kind = self.kind, name = self.name, "refusals began");
        }
        begins
    }

    /// Records a call that passed; the number of refusals if an outage ends with this one.
    pub(crate) fn passed(&self) -> Option<u64> {
        if !self.is_open.load(Ordering::Acquire) {
            return None;
        }
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = outage.filter(|outage| outage.last_refusal.elapsed() >= QUIET_PERIOD)?;
        *outage = None;
        self.is_open.store(false, Ordering::Release);
        tracing::info!(kind = self.kind, name = self.name, refused = ended.refused, "refusals ended");
        Some(ended.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn outage_begins_once_and_ends_after_a_quiet_period() {
        let log = OutageLog::new("bulkhead", "test");
        assert_eq!(log.passed(), None);
        assert!(log.refused());
        assert!(!log.refused());
        assert_eq!(log.passed(), None, "not yet quiet");
        tokio::time::advance(QUIET_PERIOD).await;
        assert_eq!(log.passed(), Some(2));
        assert_eq!(log.passed(), None);
        assert!(log.refused(), "the next refusal begins a new outage");
    }
}
