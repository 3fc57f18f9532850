//! Declares the store that deletes old rows.

use async_trait::async_trait;
use voelgoed_domain::time::Timestamp;

use super::class::RetentionClass;
use crate::error::StoreResult;

/// Deletes old rows of all organizations (system role).
#[async_trait]
pub trait RetentionStore: Send + Sync + 'static {
    /// The classes of which the store can delete rows.
    fn classes(&self) -> Vec<RetentionClass>;

    /// Deletes rows older than `before`, oldest first, at most `limit` in one commit; returns the number of deleted rows.
    ///
    /// # Errors
    /// A fault of the store; also for a class without a statement.
    async fn delete(&self, class: RetentionClass, before: Timestamp, limit: u32) -> StoreResult<u64>;
}
