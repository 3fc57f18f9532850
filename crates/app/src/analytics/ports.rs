//! Declares the streams of step counts in the warm tier and the counts in the cold tier.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::ticketing::ports::EventScope;

/// Entries of one event's stream; at the limit the oldest are dropped.
pub const COUNTS_PER_STREAM_MAX: usize = 10_000;
/// The life of a stream after its last entry.
pub const COUNT_STREAM_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// The number of each step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// [`Viewed`](super::sale_step::SaleStep::Viewed)
    pub viewed: u32,
    /// [`Held`](super::sale_step::SaleStep::Held)
    pub held: u32,
    /// [`Refused`](super::sale_step::SaleStep::Refused)
    pub refused: u32,
}

/// An entry of a stream: the counts of one node within one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCountEntry {
    /// Its identifier in the event's stream, by which cold recognises a repeat.
    pub id: String,
    /// The start of the minute.
    pub minute: Timestamp,
    /// The counts.
    pub counts: StepCounts,
}

/// A stream per event, shared by all workers: each entry is delivered to one worker, and to another if that one does not finish it.
#[async_trait]
pub trait CountStream: Send + Sync + 'static {
    /// Appends the counts of a node.
    async fn append_counts(&self, scope: EventScope, minute: Timestamp, counts: StepCounts) -> StoreResult<()>;

    /// Takes at most `limit` entries, oldest first: entries that another worker took at least `idle` ago and did not finish, then new entries.
    async fn take(
        &self,
        scope: EventScope,
        reader: Uuid,
        limit: usize,
        idle: Duration,
    ) -> StoreResult<Vec<StepCountEntry>>;

    /// Events whose streams may have entries; all other streams are empty.
    async fn events(&self) -> StoreResult<Vec<EventScope>>;

    /// Deletes entries that cold has; returns the number of entries left in the stream.
    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64>;
}

/// The funnel of one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FunnelMinute {
    /// The start of the minute.
    pub at: Timestamp,
    /// Views of the event.
    pub viewed: u64,
    /// Holds that were granted.
    pub held: u64,
    /// Holds that were refused.
    pub refused: u64,
    /// Orders that were placed.
    pub ordered: u64,
    /// Orders that were paid.
    pub paid: u64,
    /// Tickets that admitted for the first time.
    pub admitted: u64,
}

/// Step counts in the cold tier.
#[async_trait]
pub trait AnalyticsStore: Send + Sync + 'static {
    /// Writes entries; an existing entry stays, so that a repeat counts once.
    async fn add_counts(&self, scope: EventScope, counted: &[StepCountEntry]) -> StoreResult<()>;

    /// The non-empty minutes from `from` (included) to `to` (excluded), in order: the added counts, and the counts that cold computes from its rows.
    async fn funnel(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: Timestamp,
        to: Timestamp,
    ) -> StoreResult<Vec<FunnelMinute>>;
}
