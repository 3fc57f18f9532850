//! What the relay needs of the cold tier.
//!
//! Never a cursor over ids: a later commit may carry a smaller id, so undelivered rows are taken and each is marked.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use super::event::{TakenRows, UnreadableRow};
use crate::error::StoreResult;

/// The outbox.
#[async_trait]
pub trait OutboxStore: Send + Sync + 'static {
    /// Leases undelivered rows of the formats that this program reads, in the order of each aggregate's versions, at most `most`; lapsed leases are
    /// taken again. A row that cannot be decoded is parked, and only its own aggregate waits for it.
    async fn take(&self, most: u32, now: Timestamp, lease: Duration) -> StoreResult<TakenRows>;

    /// Marks rows as delivered.
    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> StoreResult<()>;

    /// Puts rows back, to be taken again at `at`.
    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> StoreResult<()>;

    /// How many rows are not delivered, and the age in milliseconds of the oldest.
    async fn pending(&self, now: Timestamp) -> StoreResult<(u64, u64)>;

    /// Undelivered rows that this program cannot read, the oldest first: parked ones, and those of a format it does not know.
    async fn unreadable(&self, most: u32) -> StoreResult<Vec<UnreadableRow>>;

    /// Resolves when rows may have been written by this process; a hint, polling finds the rest.
    async fn written(&self);
}
