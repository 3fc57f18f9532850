//! What the relay needs of the cold tier.
//!
//! Never a cursor over ids: a later commit may carry a smaller id, so undelivered rows are taken and each is marked.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use super::fact::OutboxRow;
use crate::error::Stored;

/// The outbox.
#[async_trait]
pub trait OutboxStore: Send + Sync + 'static {
    /// Leases undelivered rows, in the order of each aggregate's versions, at most `most`; lapsed leases are taken again.
    async fn take(&self, most: u32, now: Timestamp, lease: Duration) -> Stored<Vec<OutboxRow>>;

    /// Marks rows as delivered.
    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> Stored<()>;

    /// Puts rows back, to be taken again at `at`.
    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> Stored<()>;

    /// How many rows are not delivered, and the age in milliseconds of the oldest.
    async fn pending(&self, now: Timestamp) -> Stored<(u64, u64)>;

    /// Resolves when rows may have been written by this process; a hint, polling finds the rest.
    async fn written(&self);
}
