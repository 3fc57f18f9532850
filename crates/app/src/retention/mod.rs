//! Deletes rows past their retention period in small commits, so that a sale does not wait for them.
//!
//! Never: rows that money, places or tickets depend on. To add a class: a variant of [`RetentionClass`], its period here, its statement in `cold`.

pub mod ports;

use std::sync::Arc;
use std::time::Duration;

use voelgoed_telemetry::metrics::jobs::remains_deleted;

use crate::environment::Environment;
use crate::error::StoreResult;
use crate::idempotency::ANSWER_RETENTION;
use ports::{RetentionClass, RetentionStore};

/// Rows that one commit deletes.
pub const ROWS_PER_COMMIT_MAX: u32 = 2_000;

/// How long each class of rows is kept. Stored answers are kept for [`ANSWER_RETENTION`], logins until they expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionPeriods {
    /// Delivered outbox events.
    pub outbox_events: Duration,
    /// Scans.
    pub scans: Duration,
    /// Audit lines.
    pub audit_lines: Duration,
    /// Step counts.
    pub counts: Duration,
}

impl RetentionPeriods {
    /// The period of a class.
    #[must_use]
    pub const fn of(&self, class: RetentionClass) -> Duration {
        match class {
            RetentionClass::OutboxEvents => self.outbox_events,
            RetentionClass::Answers => ANSWER_RETENTION,
            RetentionClass::Logins => Duration::ZERO,
            RetentionClass::Scans => self.scans,
            RetentionClass::AuditLines => self.audit_lines,
            RetentionClass::Counts => self.counts,
        }
    }
}

/// Deletes rows that are past their retention period.
#[derive(Clone)]
pub struct RetentionPruner {
    /// The clock.
    pub environment: Arc<dyn Environment>,
    /// The rows of the cold tier.
    pub store: Arc<dyn RetentionStore>,
    /// How long each class of rows is kept.
    pub periods: RetentionPeriods,
}

impl RetentionPruner {
    /// Deletes in small commits until no class has a row past its period, or until `stopping` returns true.
    ///
    /// # Errors
    /// A fault of the store; the next round continues.
    pub async fn prune(&self, stopping: impl Fn() -> bool + Send + Sync) -> StoreResult<()> {
        let now = self.environment.now();
        for class in RetentionClass::ALL {
            while !stopping() {
                let deleted = self.store.delete(class, now.minus(self.periods.of(class)), ROWS_PER_COMMIT_MAX).await?;
                remains_deleted(class.as_str(), deleted);
                if deleted < u64::from(ROWS_PER_COMMIT_MAX) {
                    break;
                }
            }
        }
        Ok(())
    }
}
