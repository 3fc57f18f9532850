//! Runs one leased job: renews its lease, catches its panic, limits its time, and writes its outcome with the lease's fencing token.
//!
//! Never: an outcome written after the lease was lost; the store refuses it by the token, and the run is dropped (P8).

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use voelgoed_app::jobs::handler::{JobContext, JobHandler, JobOutcome};
use voelgoed_app::jobs::ports::{JobEnd, LeasedJob};
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::jobs::{RunEnd, job_ended, job_started};
use voelgoed_telemetry::spans::{job_run, record_tenant};

use crate::backoff;
use crate::runner_context::RunnerContext;

/// Limits the error text that is kept with a job.
const ERROR_CHARS_MAX: usize = 2_000;

/// A leased job that is about to run.
pub(crate) struct Attempt {
    pub(crate) context: Arc<RunnerContext>,
    pub(crate) job: LeasedJob,
    pub(crate) leased_until: Timestamp,
    pub(crate) stopping: CancellationToken,
    pub(crate) give_back: CancellationToken,
}

impl Attempt {
    /// Runs the job and writes its outcome.
    pub(crate) async fn run(self) {
        let handler = self.context.registry.handler(&self.job.kind);
        let slice = handler.as_ref().and_then(|handler| handler.kind().split('.').next()).unwrap_or("jobs");
        let span = job_run(slice, &self.job.kind, &self.job.id, self.job.attempt);
        let run = async {
            if let Some(organization) = self.job.organization {
                record_tenant(&organization, None);
            }
            self.run_in_span(handler).await;
        };
        run.instrument(span).await;
    }

    async fn run_in_span(&self, handler: Option<Arc<dyn JobHandler>>) {
        let stopwatch = Stopwatch::start();
        job_started(&self.job.kind, self.context.environment.now().since(self.job.run_at));
        // The lease comes first, because the outcome of a run that lost its lease must not be written.
        let outcome = tokio::select! {
            biased;
            () = self.renew_lease() => None,
            outcome = self.outcome(handler) => Some(outcome),
            () = self.give_back.cancelled() => Some(JobOutcome::Snooze(Duration::ZERO)),
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

    async fn outcome(&self, handler: Option<Arc<dyn JobHandler>>) -> JobOutcome {
        let Some(handler) = handler else {
            return JobOutcome::Unreadable(format!("no handler is registered for jobs of kind `{}`", self.job.kind));
        };
        let context = JobContext::new(self.job.clone(), self.context.environment.now(), self.stopping.clone());
        let run = AssertUnwindSafe(async move { handler.run(context).await }).catch_unwind();
        match tokio::time::timeout(self.context.settings.run_timeout, run).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => JobOutcome::Retry(format!("the handler panicked: {}", panic_text(&*panic))),
            Err(_) => JobOutcome::Retry(format!(
                "the run took longer than {} s",
                self.context.settings.run_timeout.as_secs_f32()
            )),
        }
    }

    /// Renews the lease; returns only when it is lost or may be lost.
    async fn renew_lease(&self) {
        let mut until = self.leased_until;
        loop {
            tokio::time::sleep(self.context.settings.renew_interval).await;
            let now = self.context.environment.now();
            let renewed_until = now.plus(self.context.settings.lease);
            match self.context.store.renew(self.job.id, self.job.lease, renewed_until).await {
                Ok(true) => until = renewed_until,
                Ok(false) => return,
                Err(_) if now >= until => return,
                Err(fault) => tracing::warn!(%fault, "a lease could not be renewed; retrying"),
            }
        }
    }

    /// Writes the outcome; none where the store stayed unavailable, so that the lease lapses and the job runs again.
    async fn end(&self, outcome: JobOutcome) -> Option<RunEnd> {
        let (end, label) = self.job_end(outcome);
        for _ in 0..self.context.settings.end_attempts_max {
            let now = self.context.environment.now();
            match self.context.store.end(self.job.id, self.job.lease, end.clone(), now).await {
                Ok(true) => return Some(label),
                Ok(false) => return Some(RunEnd::LeaseLost),
                Err(fault) => tracing::warn!(%fault, "an outcome could not be written"),
            }
            tokio::time::sleep(self.context.settings.end_retry_interval).await;
        }
        None
    }

    fn job_end(&self, outcome: JobOutcome) -> (JobEnd, RunEnd) {
        let now = self.context.environment.now();
        match outcome {
            JobOutcome::Done => (JobEnd::Done, RunEnd::Done),
            JobOutcome::Cancel(reason) => {
                tracing::info!(reason, "a job was cancelled by its handler");
                (JobEnd::Cancelled(truncated(reason)), RunEnd::Cancelled)
            }
            JobOutcome::Snooze(span) => (JobEnd::Snooze(now.plus(span)), RunEnd::Snoozed),
            JobOutcome::Unreadable(reason) => {
                let until = now.plus(self.context.settings.unreadable_retry_interval);
                (JobEnd::Parked { until, reason: truncated(reason) }, RunEnd::Unreadable)
            }
            JobOutcome::Dead(reason) => {
                tracing::error!(reason, "a job is dead; a person must look");
                (JobEnd::Dead(truncated(reason)), RunEnd::Dead)
            }
            JobOutcome::Retry(error) => {
                let is_last = self.job.attempt >= self.job.max_attempts;
                if is_last {
                    tracing::error!(error, "a job failed for the last time and is dead; a person must look");
                } else {
                    tracing::warn!(error, "a job failed and will be retried");
                }
                let at = now.plus(backoff::pause(self.job.attempt, self.context.environment.random()));
                (JobEnd::Retry { at, error: truncated(error) }, if is_last { RunEnd::Dead } else { RunEnd::Retry })
            }
        }
    }
}

fn truncated(text: String) -> String {
    if text.len() <= ERROR_CHARS_MAX { text } else { text.chars().take(ERROR_CHARS_MAX).collect() }
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
