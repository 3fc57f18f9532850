//! Defines the trait of job handlers, and the outcomes of a run that decide what happens to the job.
//!
//! Every handler is idempotent (P8), and each of its waits has a limit (P9). To add an outcome: here, in `attempt.rs` and the README's table of `crates/jobs`.

use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use voelgoed_domain::ids::{JobId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::ports::LeasedJob;
use crate::error::CommandError;

/// Runs the jobs of one kind.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind, e.g. `payments.poll`; unique among the registered handlers.
    fn kind(&self) -> &'static str;

    /// Runs a job once. An earlier attempt may have executed it in whole or in part; the future is dropped where the lease is lost.
    async fn run(&self, job: JobContext) -> JobOutcome;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// Done; the row is deleted.
    Done,
    /// No longer wanted; the row is deleted and the reason logged.
    Cancel(String),
    /// It failed and may succeed later; retried with backoff, and dead once the attempts are used up.
    Retry(String),
    /// Too early; run again after this duration, without counting the attempt.
    Snooze(Duration),
    /// It can never succeed; kept as dead with the reason, for a person.
    Dead(String),
    /// This program cannot read the payload; run again after a pause, without counting the attempt, so that a newer node can take it.
    Unreadable(String),
}

impl From<CommandError> for JobOutcome {
    /// A refusal may be temporary too, so both are retried until the attempts are used up.
    fn from(error: CommandError) -> Self {
        Self::Retry(error.to_string())
    }
}

/// A job as its handler sees it.
#[derive(Debug)]
pub struct JobContext {
    job: LeasedJob,
    started_at: Timestamp,
    stopping: CancellationToken,
}

impl JobContext {
    /// The run of `job` that starts now; `stopping` is cancelled when the process stops.
    #[must_use]
    pub const fn new(job: LeasedJob, started_at: Timestamp, stopping: CancellationToken) -> Self {
        Self { job, started_at, stopping }
    }

    /// The job's identifier, the same in every attempt: an idempotency key for calls to other systems.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.job.id
    }

    /// The tenant; none for the system's own jobs.
    #[must_use]
    pub const fn organization(&self) -> Option<OrganizationId> {
        self.job.organization
    }

    /// This attempt's number, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.job.attempt
    }

    /// True where a failure of this attempt makes the job dead.
    #[must_use]
    pub const fn is_last_attempt(&self) -> bool {
        self.job.attempt >= self.job.max_attempts
    }

    /// The error of the previous attempt.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.job.last_error.as_deref()
    }

    /// When this attempt began.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Cancelled when the process stops: long work ends early with [`JobOutcome::Snooze`].
    #[must_use]
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// The payload, parsed.
    ///
    /// # Errors
    /// [`JobOutcome::Unreadable`] where it cannot be parsed as `P`; the handler returns it unchanged.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P, JobOutcome> {
        P::deserialize(&self.job.payload)
            .map_err(|error| JobOutcome::Unreadable(format!("the payload cannot be read: {error}")))
    }
}
