//! What analytics needs of the warm and the cold tier.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::ticketing::ports::EventScope;

/// Counts of one event that a stream keeps at most; the oldest give way.
pub const MOST_KEPT: usize = 10_000;
/// A stream to which nothing was added for so long is forgotten.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// What cold does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody looked at the event.
    Viewed,
    /// Somebody was given places for a while; a repeat of the request is not another.
    Held,
    /// Somebody wanted places and was refused.
    Refused,
}

/// How often each step was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`Step::Viewed`]
    pub viewed: u32,
    /// [`Step::Held`]
    pub held: u32,
    /// [`Step::Refused`]
    pub refused: u32,
}

/// What one node counted within a minute, as a stream keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its identifier in the event's stream; by it cold knows a repeat.
    pub id: String,
    /// When that minute began.
    pub minute: Timestamp,
    /// What was counted.
    pub counts: Counts,
}

/// A stream per event, shared by all workers: each entry is handed to one of them, and to another where that one does not finish.
#[async_trait]
pub trait CountStream: Send + Sync + 'static {
    /// Appends what a node counted.
    async fn append(&self, scope: EventScope, minute: Timestamp, counts: Counts) -> StoreResult<()>;

    /// Hands out at most `most` entries, the oldest first: those that somebody was handed `idle` ago or longer and did not finish, then new ones.
    async fn take(&self, scope: EventScope, reader: Uuid, most: usize, idle: Duration) -> StoreResult<Vec<Counted>>;

    /// Events whose streams may hold entries; the others need not be asked.
    async fn events(&self) -> StoreResult<Vec<EventScope>>;

    /// Forgets entries that cold has; returns how many are left in the stream.
    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64>;
}

/// The funnel of one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Minute {
    /// When it began.
    pub at: Timestamp,
    /// Looks at the event.
    pub viewed: u64,
    /// Holds that were granted.
    pub held: u64,
    /// Holds that were refused.
    pub refused: u64,
    /// Orders that were placed.
    pub ordered: u64,
    /// Orders that were paid.
    pub paid: u64,
    /// Tickets that were let in for the first time.
    pub admitted: u64,
}

/// The figures in the cold tier.
#[async_trait]
pub trait AnalyticsStore: Send + Sync + 'static {
    /// Writes entries; one that is there already is left as it is, so that a repeat counts once.
    async fn add_counts(&self, scope: EventScope, counted: &[Counted]) -> StoreResult<()>;

    /// The minutes from `from` (included) to `to` (excluded) in which anything happened, in order: what was added, and what cold knows by itself.
    async fn funnel(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: Timestamp,
        to: Timestamp,
    ) -> StoreResult<Vec<Minute>>;
}
