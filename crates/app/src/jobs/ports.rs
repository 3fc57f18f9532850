//! What the job runner needs of the cold tier.
//!
//! A job runs at least once: every handler is idempotent (P8). A lease is fenced by its token: who lost it can no longer complete the job.

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
    /// Whose work it is; none for the system's own.
    pub organization: Option<OrganizationId>,
    /// Which handler runs it.
    pub kind: &'static str,
    /// Queues have workers of their own, so that one cannot starve another.
    pub queue: Queue,
    /// What the handler is given, of a shape it owns and versions.
    pub payload: Value,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// At most one living job per organization and key; a second one is dropped silently, the earlier `run_at` of both is kept.
    /// A dead job holds no key.
    pub unique_key: Option<String>,
    /// After so many attempts it is dead.
    pub max_attempts: u32,
}

/// Queues, each with its own workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Money: charges, polls, refunds.
    Payments,
    /// Everything that repairs or tidies.
    Upkeep,
    /// Mail and webhooks.
    Notifications,
}

impl Queue {
    /// Every queue there is.
    pub const ALL: &'static [Self] = &[Self::Payments, Self::Upkeep, Self::Notifications];

    /// The text that stores keep.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Upkeep => "upkeep",
            Self::Notifications => "notifications",
        }
    }
}

/// A job that was leased to this runner.
#[derive(Debug, Clone, PartialEq)]
pub struct LeasedJob {
    /// Its identifier.
    pub id: JobId,
    /// Whose work it is.
    pub organization: Option<OrganizationId>,
    /// Which handler runs it.
    pub kind: String,
    /// What the handler is given.
    pub payload: Value,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// After so many it is dead.
    pub max_attempts: u32,
    /// When it could have run first.
    pub run_at: Timestamp,
    /// What the attempt before it failed with, if there was one.
    pub last_error: Option<String>,
    /// The fencing token of the lease.
    pub lease: Uuid,
}

/// How a leased job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Done; the row goes.
    Done,
    /// Given up on purpose; the row goes, the reason is logged.
    Cancelled(String),
    /// It failed; again at this moment, or dead where the attempts are used up.
    Retry {
        /// When.
        at: Timestamp,
        /// Why, kept with the job.
        error: String,
    },
    /// Not yet; again at this moment, without counting the attempt.
    Snooze(Timestamp),
    /// It can never succeed; dead at once, with the reason kept for a person.
    Dead(String),
    /// This program cannot read it, another one may; again at this moment, without counting the attempt.
    Parked {
        /// When.
        until: Timestamp,
        /// Why, kept with the job.
        reason: String,
    },
}

/// A living job that this program cannot run: it knows no such kind, or cannot read what the job was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableJob {
    /// Its identifier.
    pub id: JobId,
    /// Whose work it is.
    pub organization: Option<OrganizationId>,
    /// Its kind.
    pub kind: String,
    /// When it could have run first.
    pub run_at: Timestamp,
    /// Why it does not run here.
    pub reason: String,
}

/// How many jobs stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    /// Due and not leased.
    pub ready: u64,
    /// Leased now.
    pub leased: u64,
    /// Later.
    pub scheduled: u64,
    /// Out of attempts; a person must look.
    pub dead: u64,
}

/// The durable queue.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Writes jobs in a commit of their own (commands write theirs in their own commit).
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StoreResult<()>;

    /// Leases due jobs of a queue and of `kinds`, oldest first; a lapsed lease counts as due. Jobs of other kinds are left to nodes that run them; a job
    /// that cannot be read is put off without counting an attempt, and holds up no other.
    async fn lease(
        &self,
        queue: Queue,
        kinds: &[&'static str],
        most: u32,
        now: Timestamp,
        lasts: Duration,
    ) -> StoreResult<Vec<LeasedJob>>;

    /// Living jobs that a runner of `kinds` cannot run and whose time has come, oldest first: of other kinds, or put off because they could not be read.
    async fn unreadable(&self, kinds: &[&'static str], now: Timestamp, most: u32) -> StoreResult<Vec<UnreadableJob>>;

    /// Ends a leased job; false where the lease was lost, and nothing was changed.
    async fn end(&self, id: JobId, lease: Uuid, end: JobEnd, now: Timestamp) -> StoreResult<bool>;

    /// Lengthens a lease; false where it was lost.
    async fn renew(&self, id: JobId, lease: Uuid, until: Timestamp) -> StoreResult<bool>;

    /// The next run of a named schedule: true for the one caller that may enqueue it now. Moves `next_at` forward by whole periods past `now`.
    async fn claim_schedule(&self, name: &'static str, period: Duration, now: Timestamp) -> StoreResult<bool>;

    /// How many jobs stand how.
    async fn depth(&self, queue: Queue, now: Timestamp) -> StoreResult<QueueDepth>;

    /// Dead jobs, oldest first, for people.
    async fn dead(&self, most: u32) -> StoreResult<Vec<LeasedJob>>;

    /// Gives a dead job all its attempts anew; false where it is not dead, or another one lives under its unique key.
    async fn revive(&self, id: JobId, now: Timestamp) -> StoreResult<bool>;

    /// Resolves when jobs may have been written by this process; a hint, polling finds the rest.
    async fn written(&self);
}
