//! Registers the handler of every kind of job, and the schedules that enqueue jobs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::jobs::ports::Queue;
use voelgoed_app::payments::Payments;
use voelgoed_app::payments::apply_observation::{UNMATCHED_CAPTURE, UnmatchedCapture};
use voelgoed_app::payments::execute_refund::{EXECUTE_REFUND, ExecuteRefund, RefundProgress};
use voelgoed_app::retention::RetentionPruner;
use voelgoed_jobs::{JobContext, JobHandler, JobOutcome, Registry, Schedule, WiringError};

/// Until the next poll of a refund that its provider has not decided.
const REFUND_POLL_INTERVAL: Duration = Duration::from_secs(3);
/// The kind of the job that deletes rows past their retention period.
const PRUNE: &str = "upkeep.prune";

/// Every handler and schedule.
pub fn registry(payments: &Payments, retention: RetentionPruner) -> Result<Registry, WiringError> {
    let handlers: Vec<Arc<dyn JobHandler>> = vec![
        Arc::new(RefundHandler(payments.clone())),
        Arc::new(UnmatchedCaptureHandler(payments.clone())),
        Arc::new(PruneHandler(retention)),
    ];
    let prunes = Schedule { name: "prune", period: Duration::from_secs(60), kind: PRUNE, queue: Queue::Upkeep };
    Registry::new(handlers, vec![prunes])
}

fn outcome(done: CommandResult<JobOutcome>) -> JobOutcome {
    match done {
        Ok(outcome) => outcome,
        Err(error @ (CommandError::Fault(_) | CommandError::Refused(_))) => JobOutcome::Retry(error.to_string()),
    }
}

struct RefundHandler(Payments);

#[async_trait]
impl JobHandler for RefundHandler {
    fn kind(&self) -> &'static str {
        EXECUTE_REFUND
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let ExecuteRefund { refund } = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return JobOutcome::Dead("a refund without organization".to_owned());
        };
        let progress = self.0.execute_refund(organization, refund).await;
        outcome(progress.map(|progress| match progress {
            RefundProgress::Settled => JobOutcome::Done,
            RefundProgress::Open => JobOutcome::Snooze(REFUND_POLL_INTERVAL),
        }))
    }
}

struct UnmatchedCaptureHandler(Payments);

#[async_trait]
impl JobHandler for UnmatchedCaptureHandler {
    fn kind(&self) -> &'static str {
        UNMATCHED_CAPTURE
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let capture: UnmatchedCapture = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return JobOutcome::Dead("a capture without organization".to_owned());
        };
        outcome(self.0.settle_unmatched_capture(organization, capture).await.map(|()| JobOutcome::Done))
    }
}

struct PruneHandler(RetentionPruner);

#[async_trait]
impl JobHandler for PruneHandler {
    fn kind(&self) -> &'static str {
        PRUNE
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        let stopping = job.stopping().clone();
        match self.0.prune(|| stopping.is_cancelled()).await {
            Ok(()) => JobOutcome::Done,
            Err(fault) => JobOutcome::Retry(fault.to_string()),
        }
    }
}
