//! Declares the consumers of outbox events: the relay delivers each row to every consumer, in the order of its aggregate, at least once (P8).
//!
//! A consumer is idempotent. Never: a consumer that records which rows it has seen; `Ok` for an effect that did not happen (above all `unloaded`).
//! To add a consumer: one file that implements [`OutboxConsumer`], and its line in `consumers` or `node_consumers` of its slice.

use async_trait::async_trait;

use super::event::OutboxRow;
use crate::error::Fault;
use crate::ticketing::ports::InventoryError;

/// Consumes outbox events.
#[async_trait]
pub trait OutboxConsumer: Send + Sync + 'static {
    /// The consumer's name in logs.
    fn name(&self) -> &'static str;

    /// Handles a row; returns `Ok` for an event that the consumer ignores. The same row may be delivered again.
    ///
    /// # Errors
    /// [`ConsumeError::RetryLater`] if the row was not handled: the row and all later rows of its aggregate are delivered again.
    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError>;
}

/// Why a consumer did not handle a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// Deliver the row again after a backoff; the reason is for the log.
    #[error("later: {0}")]
    RetryLater(String),
}

impl From<Fault> for ConsumeError {
    fn from(fault: Fault) -> Self {
        Self::RetryLater(fault.to_string())
    }
}

impl From<InventoryError> for ConsumeError {
    /// For every error the warm tier may not have the effect, so the row must be delivered again.
    fn from(error: InventoryError) -> Self {
        Self::RetryLater(error.to_string())
    }
}
