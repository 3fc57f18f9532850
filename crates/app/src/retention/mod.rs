//! Deletes what grows without end once it is old enough, in small commits, so that a sale is not kept waiting.
//!
//! Never: anything that money, places or tickets follow from. To let something end: a line in [`RetentionClass`], its span here, its statement in `cold`.

pub mod ports;

use std::time::Duration;

use voelgoed_telemetry::metrics::jobs::remains_deleted;

use crate::error::StoreResult;
use crate::idempotency::KEPT_FOR;
use crate::platform::Platform;
use ports::{RetentionClass, RetentionStore};

/// Rows deleted at most in one commit.
pub const AT_ONCE: u32 = 2_000;

/// How long what is over is kept. Answers are kept for what the contract says, and logins until they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionPeriods {
    /// Delivered facts, for whoever asks what happened.
    pub facts: Duration,
    /// Scans.
    pub scans: Duration,
    /// Audit lines.
    pub audit_lines: Duration,
    /// Counts.
    pub counts: Duration,
}

impl RetentionPeriods {
    /// The span of something.
    #[must_use]
    pub const fn of(&self, remains: RetentionClass) -> Duration {
        match remains {
            RetentionClass::Facts => self.facts,
            RetentionClass::Answers => KEPT_FOR,
            RetentionClass::Logins => Duration::ZERO,
            RetentionClass::Scans => self.scans,
            RetentionClass::AuditLines => self.audit_lines,
            RetentionClass::Counts => self.counts,
        }
    }
}

/// Deletes until nothing is left that is over, or until `stopping` says so.
///
/// # Errors
/// A fault of the store; the next round goes on.
pub async fn prune(
    platform: &Platform,
    store: &dyn RetentionStore,
    spans: RetentionPeriods,
    stopping: impl Fn() -> bool + Send + Sync,
) -> StoreResult<()> {
    let now = platform.environment.now();
    for remains in RetentionClass::ALL {
        while !stopping() {
            let gone = store.delete(remains, now.minus(spans.of(remains)), AT_ONCE).await?;
            remains_deleted(remains.as_str(), gone);
            if gone < u64::from(AT_ONCE) {
                break;
            }
        }
    }
    Ok(())
}
