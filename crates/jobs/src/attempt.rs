//! One run of one leased job: its lease is kept alive, its panic caught, its time limited, its outcome written under the lease's token.
//!
//! Never: an outcome written after the lease was lost; the store refuses it by the token, and the run is dropped (P8).

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use voelgoed_app::jobs::ports::{JobEnd, LeasedJob};
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::jobs::{RunEnd, job_ended, job_started};
use voelgoed_telemetry::spans::{belongs_to, job_run};

use crate::backoff;
use crate::handler::{JobContext, JobHandler, Outcome};
use crate::runner::Runner;

/// The longest error that is kept with a job, in characters.
const ERROR_MAX: usize = 2_000;

/// A leased job about to run.
pub(crate) struct Attempt {
    pub(crate) runner: Arc<Runner>,
    pub(crate) job: LeasedJob,
    pub(crate) leased_until: Timestamp,
    pub(crate) stopping: CancellationToken,
    pub(crate) give_back: CancellationToken,
}

impl Attempt {
    /// Runs the job and writes how it ended.
    pub(crate) async fn run(self) {
        let handler = self.runner.registry.handler(&self.job.kind);
        let slice = handler.as_ref().and_then(|handler| handler.kind().split('.').next()).unwrap_or("jobs");
        let span = job_run(slice, &self.job.kind, &self.job.id, self.job.attempt);
        let run = async {
            if let Some(organization) = self.job.organization {
                belongs_to(&organization, None);
            }
            self.run_in_span(handler).await;
        };
        run.instrument(span).await;
    }

    async fn run_in_span(&self, handler: Option<Arc<dyn JobHandler>>) {
        let stopwatch = Stopwatch::start();
        job_started(&self.job.kind, self.runner.environment.now().since(self.job.run_at));
        // The lease first: a run that lost it must not be taken for a success.
        let outcome = tokio::select! {
            biased;
            () = self.keep_lease() => None,
            outcome = self.outcome(handler) => Some(outcome),
            () = self.give_back.cancelled() => Some(Outcome::Snooze(Duration::ZERO)),
        };
        let end = match outcome {
            Some(outcome) => self.end(outcome).await,
            None => Some(RunEnd::LeaseLost),
        };
        if end == Some(RunEnd::LeaseLost) {
            tracing::warn!("the lease passed to another runner; this run was dropped");
        }
        if let Some(end) = end {
            job_ended(&self.job.kind, end, stopwatch.elapsed());
        }
    }

    async fn outcome(&self, handler: Option<Arc<dyn JobHandler>>) -> Outcome {
        let Some(handler) = handler else {
            return Outcome::Unreadable(format!("no handler is registered for jobs of kind `{}`", self.job.kind));
        };
        let context = JobContext {
            job: self.job.clone(),
            started_at: self.runner.environment.now(),
            stopping: self.stopping.clone(),
        };
        let run = AssertUnwindSafe(async move { handler.run(context).await }).catch_unwind();
        match tokio::time::timeout(self.runner.settings.run_limit, run).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Outcome::Retry(format!("the handler panicked: {}", text_of(&*panic))),
            Err(_) => {
                Outcome::Retry(format!("the run took longer than {} s", self.runner.settings.run_limit.as_secs_f32()))
            }
        }
    }

    /// Renews the lease; returns only when it is lost, or may be.
    async fn keep_lease(&self) {
        let mut until = self.leased_until;
        loop {
            tokio::time::sleep(self.runner.settings.renew_every).await;
            let now = self.runner.environment.now();
            let renewed_until = now.plus(self.runner.settings.lease);
            match self.runner.store.renew(self.job.id, self.job.lease, renewed_until).await {
                Ok(true) => until = renewed_until,
                Ok(false) => return,
                Err(_) if now >= until => return,
                Err(fault) => tracing::warn!(%fault, "a lease could not be renewed; trying on"),
            }
        }
    }

    /// Writes the outcome; none where the store stayed away, so that the lease lapses and the job runs again.
    async fn end(&self, outcome: Outcome) -> Option<RunEnd> {
        let (end, label) = self.judged(outcome);
        for _ in 0..self.runner.settings.end_tries {
            let now = self.runner.environment.now();
            match self.runner.store.end(self.job.id, self.job.lease, end.clone(), now).await {
                Ok(true) => return Some(label),
                Ok(false) => return Some(RunEnd::LeaseLost),
                Err(fault) => tracing::warn!(%fault, "an outcome could not be written"),
            }
            tokio::time::sleep(self.runner.settings.end_pause).await;
        }
        None
    }

    fn judged(&self, outcome: Outcome) -> (JobEnd, RunEnd) {
        let now = self.runner.environment.now();
        match outcome {
            Outcome::Done => (JobEnd::Done, RunEnd::Done),
            Outcome::Cancel(reason) => {
                tracing::info!(reason, "a job was cancelled by its handler");
                (JobEnd::Cancelled(shortened(reason)), RunEnd::Cancelled)
            }
            Outcome::Snooze(span) => (JobEnd::Snooze(now.plus(span)), RunEnd::Snoozed),
            Outcome::Unreadable(reason) => {
                let until = now.plus(self.runner.settings.unreadable_pause);
                (JobEnd::Parked { until, reason: shortened(reason) }, RunEnd::Unreadable)
            }
            Outcome::Dead(reason) => {
                tracing::error!(reason, "a job is dead; a person must look");
                (JobEnd::Dead(shortened(reason)), RunEnd::Dead)
            }
            Outcome::Retry(error) => {
                let is_last = self.job.attempt >= self.job.max_attempts;
                if is_last {
                    tracing::error!(error, "a job failed for the last time and is dead; a person must look");
                } else {
                    tracing::warn!(error, "a job failed and will be tried again");
                }
                let at = now.plus(backoff::pause(self.job.attempt, self.runner.environment.random()));
                (JobEnd::Retry { at, error: shortened(error) }, if is_last { RunEnd::Dead } else { RunEnd::Retry })
            }
        }
    }
}

fn shortened(text: String) -> String {
    if text.len() <= ERROR_MAX { text } else { text.chars().take(ERROR_MAX).collect() }
}

/// What a panic said.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
