//! Every kind of job and what runs it, and what runs by the clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::error::{Error, Result};
use voelgoed_app::jobs::ports::Queue;
use voelgoed_app::payments::carry_out_refund::{CARRY_OUT_REFUND, CarryOutRefund, RefundProgress, carry_out_refund};
use voelgoed_app::payments::late_capture::late_capture;
use voelgoed_app::payments::learn::{LATE_CAPTURE, LateCapture};
use voelgoed_app::platform::Platform;
use voelgoed_app::retention::ports::RetentionStore;
use voelgoed_app::retention::{RetentionPeriods, prune};
use voelgoed_jobs::{JobContext, JobHandler, Outcome, Registry, Schedule, WiringError};

/// A refund whose provider has not decided is looked at again after this long.
const REFUND_LOOKS_EVERY: Duration = Duration::from_secs(3);
/// The kind of the job that deletes what is over.
const PRUNE: &str = "upkeep.prune";

/// Every handler and schedule; what is over is kept for `spans`.
pub fn registry(
    platform: &Arc<Platform>,
    store: Arc<dyn RetentionStore>,
    spans: RetentionPeriods,
) -> std::result::Result<Registry, WiringError> {
    let handlers: Vec<Arc<dyn JobHandler>> = vec![
        Arc::new(Refunds(Arc::clone(platform))),
        Arc::new(LateCaptures(Arc::clone(platform))),
        Arc::new(Prunes { platform: Arc::clone(platform), store, spans }),
    ];
    let prunes = Schedule { name: "prune", period: Duration::from_secs(60), kind: PRUNE, queue: Queue::Upkeep };
    Registry::new(handlers, vec![prunes])
}

fn outcome(done: Result<Outcome>) -> Outcome {
    match done {
        Ok(outcome) => outcome,
        Err(error @ (Error::Fault(_) | Error::Refused(_))) => Outcome::Retry(error.to_string()),
    }
}

struct Refunds(Arc<Platform>);

#[async_trait]
impl JobHandler for Refunds {
    fn kind(&self) -> &'static str {
        CARRY_OUT_REFUND
    }

    async fn run(&self, job: JobContext) -> Outcome {
        let CarryOutRefund { refund } = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return Outcome::Dead("a refund without organization".to_owned());
        };
        let progress = carry_out_refund(&self.0, organization, refund).await;
        outcome(progress.map(|progress| match progress {
            RefundProgress::Settled => Outcome::Done,
            RefundProgress::Open => Outcome::Snooze(REFUND_LOOKS_EVERY),
        }))
    }
}

struct LateCaptures(Arc<Platform>);

#[async_trait]
impl JobHandler for LateCaptures {
    fn kind(&self) -> &'static str {
        LATE_CAPTURE
    }

    async fn run(&self, job: JobContext) -> Outcome {
        let late: LateCapture = match job.payload() {
            Ok(payload) => payload,
            Err(unreadable) => return unreadable,
        };
        let Some(organization) = job.organization() else {
            return Outcome::Dead("a capture without organization".to_owned());
        };
        outcome(late_capture(&self.0, organization, late).await.map(|()| Outcome::Done))
    }
}

struct Prunes {
    platform: Arc<Platform>,
    store: Arc<dyn RetentionStore>,
    spans: RetentionPeriods,
}

#[async_trait]
impl JobHandler for Prunes {
    fn kind(&self) -> &'static str {
        PRUNE
    }

    async fn run(&self, job: JobContext) -> Outcome {
        let stopping = job.stopping().clone();
        match prune(&self.platform, &*self.store, self.spans, || stopping.is_cancelled()).await {
            Ok(()) => Outcome::Done,
            Err(fault) => Outcome::Retry(fault.to_string()),
        }
    }
}
