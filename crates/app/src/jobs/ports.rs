//! Declares the durable job queue: jobs are leased with a fencing token and run at least once, so every handler is idempotent (P8).
//!
//! Never: a job completed by a runner that lost its lease; every call checks the lease's token.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;
use voelgoed_domain::ids::{JobId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;

/// A job to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its identifier.
    pub id: JobId,
    /// The organization; none for the system's own jobs.
    pub organization: Option<OrganizationId>,
    /// The name of the handler.
    pub kind: &'static str,
    /// Each queue has its own workers, so that one cannot starve another.
    pub queue: Queue,
    /// The handler's input; the handler owns and versions its shape.
    pub payload: Value,
    /// The job does not run before this time.
    pub run_at: Timestamp,
    /// At most one live job per organization and key: a second one is dropped and the earlier `run_at` of both is kept. A dead job does not occupy its key.
    pub unique_key: Option<String>,
    /// The job is dead after this many attempts.
    pub max_attempts: u32,
}

/// A queue of jobs with its own workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Refunds and unmatched captures.
    Payments,
    /// Deletion of rows past their retention period.
    Upkeep,
    /// No kind of job yet; mail and webhooks will use it.
    Notifications,
}

impl Queue {
    /// All queues.
    pub const ALL: &'static [Self] = &[Self::Payments, Self::Upkeep, Self::Notifications];

    /// The name in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Upkeep => "upkeep",
            Self::Notifications => "notifications",
        }
    }
}

/// A job that is leased to this runner.
#[derive(Debug, Clone, PartialEq)]
pub struct LeasedJob {
    /// Its identifier.
    pub id: JobId,
    /// The organization, if it is not the system's own job.
    pub organization: Option<OrganizationId>,
    /// The name of the handler.
    pub kind: String,
    /// The handler's input.
    pub payload: Value,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The job is dead after this many attempts.
    pub max_attempts: u32,
    /// The time from which it could run.
    pub run_at: Timestamp,
    /// The error of the previous attempt, if there was one.
    pub last_error: Option<String>,
    /// The fencing token of the lease.
    pub lease: Uuid,
}

/// The end of a leased job's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Done; the row is deleted.
    Done,
    /// Cancelled by its handler; the row is deleted and the reason logged.
    Cancelled(String),
    /// Failed; runs again at `at`, or is dead if no attempts are left.
    Retry {
        /// The time of the next attempt.
        at: Timestamp,
        /// The error, stored with the job.
        error: String,
    },
    /// Not yet possible; runs again at this time without counting the attempt.
    Snooze(Timestamp),
    /// Can never succeed; dead at once, with the reason stored for an operator.
    Dead(String),
    /// This program cannot read it, another version may; offered again at `until` without counting the attempt.
    Parked {
        /// The time at which it is offered again.
        until: Timestamp,
        /// The reason, stored with the job.
        reason: String,
    },
}

/// A live job that this program cannot run: its kind is unknown, or its payload cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableJob {
    /// Its identifier.
    pub id: JobId,
    /// The organization, if it is not the system's own job.
    pub organization: Option<OrganizationId>,
    /// The name of its handler.
    pub kind: String,
    /// The time from which it could run.
    pub run_at: Timestamp,
    /// Why this program cannot run it.
    pub reason: String,
}

/// The number of jobs by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    /// Due and not leased.
    pub ready: u64,
    /// Leased now.
    pub leased: u64,
    /// Due later.
    pub scheduled: u64,
    /// Out of attempts; an operator must look at them.
    pub dead: u64,
}

/// The durable queue.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Writes jobs in their own commit. Commands write their jobs in the command's commit instead.
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StoreResult<()>;

    /// Leases due jobs of a queue and of `kinds`, oldest first; a job with an expired lease is due. Jobs of other kinds are left to nodes that run them. An
    /// unreadable job is postponed; the attempt is not counted, and later jobs run.
    async fn lease(
        &self,
        queue: Queue,
        kinds: &[&'static str],
        limit: u32,
        now: Timestamp,
        lease: Duration,
    ) -> StoreResult<Vec<LeasedJob>>;

    /// Due jobs that a runner of `kinds` cannot run, oldest first: of other kinds, or postponed because they could not be read.
    async fn unreadable(&self, kinds: &[&'static str], now: Timestamp, limit: u32) -> StoreResult<Vec<UnreadableJob>>;

    /// Ends a leased job; false if the lease was lost and nothing was changed.
    async fn end(&self, id: JobId, lease: Uuid, end: JobEnd, now: Timestamp) -> StoreResult<bool>;

    /// Extends a lease; false if it was lost.
    async fn renew(&self, id: JobId, lease: Uuid, until: Timestamp) -> StoreResult<bool>;

    /// Claims the due run of a named schedule: true for the one caller that must enqueue it. Moves `next_at` past `now` by whole periods.
    async fn claim_schedule(&self, name: &'static str, period: Duration, now: Timestamp) -> StoreResult<bool>;

    /// The number of jobs of a queue by state.
    async fn depth(&self, queue: Queue, now: Timestamp) -> StoreResult<QueueDepth>;

    /// Dead jobs, oldest first, for operators.
    async fn dead(&self, limit: u32) -> StoreResult<Vec<LeasedJob>>;

    /// Makes a dead job run again with all attempts; false if the job is not dead or another live job has its unique key.
    async fn revive(&self, id: JobId, now: Timestamp) -> StoreResult<bool>;

    /// Resolves when this process may have written jobs; a hint, polling finds jobs of other processes.
    async fn written(&self);
}
