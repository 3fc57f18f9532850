//! What a handler is: a kind, and `run`, whose answer decides what follows.
//!
//! Never: a handler that is not idempotent (P8), or one that waits without a limit (P9). To add an outcome: here, in `attempt.rs`, in the README's table.

use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use voelgoed_app::jobs::ports::LeasedJob;
use voelgoed_domain::ids::{JobId, OrganizationId};
use voelgoed_domain::time::Timestamp;

/// Runs the jobs of one kind.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind, e.g. `payments.poll`; unique among the registered handlers.
    fn kind(&self) -> &'static str;

    /// Runs a job once. It may have run before, wholly or in part; the future is dropped where the lease is lost.
    async fn run(&self, job: JobContext) -> Outcome;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the row goes.
    Done,
    /// No longer wanted; the row goes, the reason is logged.
    Cancel(String),
    /// It failed and may succeed later; dead once the attempts are used up.
    Retry(String),
    /// Too early; again after this span, without counting the attempt.
    Snooze(Duration),
    /// It can never succeed; kept with the reason, for a person.
    Dead(String),
    /// This program cannot read what the job was given; again after a pause, without counting the attempt, for a node that can.
    Unreadable(String),
}

/// A job as its handler sees it.
#[derive(Debug)]
pub struct JobContext {
    pub(crate) job: LeasedJob,
    pub(crate) started_at: Timestamp,
    pub(crate) stopping: CancellationToken,
}

impl JobContext {
    /// The job's identifier, the same in every attempt: a key for what is done outside.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.job.id
    }

    /// Whose work it is; none for the system's own.
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

    /// What the attempt before failed with.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.job.last_error.as_deref()
    }

    /// When this run began.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Cancelled when the process wants to stop: long work ends early with [`Outcome::Snooze`].
    #[must_use]
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// What the job was given.
    ///
    /// # Errors
    /// [`Outcome::Unreadable`] where it is not of this shape, to be returned as it is.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P, Outcome> {
        P::deserialize(&self.job.payload)
            .map_err(|error| Outcome::Unreadable(format!("the payload cannot be read: {error}")))
    }
}
