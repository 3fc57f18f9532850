//! Deletes rows past their retention period in small commits, so that a sale does not wait for them.
//!
//! Never: rows that money, places or tickets depend on. To add a class: in `retention` of its slice, and its statement in `cold/src/retention.rs`.

pub mod class;
pub mod ports;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_telemetry::metrics::jobs::remains_deleted;

use crate::environment::Environment;
use crate::error::StoreResult;
use crate::idempotency::ANSWER_RETENTION;
use crate::jobs::handler::{JobContext, JobHandler, JobOutcome};
use crate::jobs::ports::Queue;
use crate::jobs::schedule::Schedule;
use class::{RetentionClass, RetentionPeriods};
use ports::RetentionStore;

/// Rows that one commit deletes.
pub const ROWS_PER_COMMIT_MAX: u32 = 2_000;
/// The kind of the job that deletes rows past their retention period.
const PRUNE: &str = "upkeep.prune";

/// Outbox events, by the time of their delivery; an undelivered event has no age.
pub const DELIVERED_EVENTS: RetentionClass = RetentionClass { name: "facts", period: |periods| periods.outbox_events };
/// Stored answers of creating requests, by the time of the answer.
pub const ANSWERS: RetentionClass = RetentionClass { name: "answers", period: |_| ANSWER_RETENTION };
/// The classes whose rows every slice writes.
pub const SHARED_CLASSES: [RetentionClass; 2] = [DELIVERED_EVENTS, ANSWERS];

/// Deletes rows that are past their retention period.
#[derive(Clone)]
pub struct RetentionPruner {
    /// The clock.
    pub environment: Arc<dyn Environment>,
    /// The rows of the cold tier.
    pub store: Arc<dyn RetentionStore>,
    /// How long the classes with a setting are kept.
    pub periods: RetentionPeriods,
    /// What is deleted, in this order.
    pub classes: Vec<RetentionClass>,
}

impl RetentionPruner {
    /// The schedule of the job that this pruner handles.
    #[must_use]
    pub const fn schedule() -> Schedule {
        Schedule { name: "prune", period: Duration::from_secs(60), kind: PRUNE, queue: Queue::Upkeep }
    }

    /// Deletes in small commits until no class has a row past its period, or until `stopping` returns true.
    ///
    /// # Errors
    /// A fault of the store; the next round continues.
    pub async fn prune(&self, stopping: impl Fn() -> bool + Send + Sync) -> StoreResult<()> {
        let now = self.environment.now();
        for class in &self.classes {
            while !stopping() {
                let before = now.minus((class.period)(&self.periods));
                let deleted = self.store.delete(*class, before, ROWS_PER_COMMIT_MAX).await?;
                remains_deleted(class.name, deleted);
                if deleted < u64::from(ROWS_PER_COMMIT_MAX) {
                    break;
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl JobHandler for RetentionPruner {
    fn kind(&self) -> &'static str {
        PRUNE
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let stopping = job.stopping().clone();
        match self.prune(|| stopping.is_cancelled()).await {
            Ok(()) => JobOutcome::Done,
            Err(fault) => JobOutcome::Retry(fault.to_string()),
        }
    }
}
