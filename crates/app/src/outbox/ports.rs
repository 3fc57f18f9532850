//! Declares the outbox store, from which the relay leases undelivered rows.
//!
//! Never: a cursor over ids; a later commit may have a smaller id, so each row is marked when it is delivered.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use super::event::{TakenRows, UnreadableRow};
use crate::error::StoreResult;

/// The outbox in the cold tier.
#[async_trait]
pub trait OutboxStore: Send + Sync + 'static {
    /// Leases undelivered rows of the formats that this program reads, in the order of each aggregate's versions, at most `limit`; expired leases
    /// are taken again. A row that cannot be decoded is parked, and only its own aggregate waits for it.
    async fn take(&self, limit: u32, now: Timestamp, lease: Duration) -> StoreResult<TakenRows>;

    /// Marks rows as delivered.
    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> StoreResult<()>;

    /// Returns rows to the outbox, to be taken again at `at`.
    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> StoreResult<()>;

    /// The number of undelivered rows, and the age of the oldest in milliseconds.
    async fn pending(&self, now: Timestamp) -> StoreResult<(u64, u64)>;

    /// Undelivered rows that this program cannot read, oldest first: parked rows, and rows of an unknown format.
    async fn unreadable(&self, limit: u32) -> StoreResult<Vec<UnreadableRow>>;

    /// Resolves when this process may have written rows; a hint, polling finds rows of other processes.
    async fn written(&self);
}
