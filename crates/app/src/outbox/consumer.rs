//! Who hears of facts: the relay hands each outbox row to every reader, in the order of its aggregate, at least once (P8).
//!
//! Never: a reader that remembers what it has seen instead of being idempotent, an answer `Ok` for an effect that did not take place
//! (`unloaded` above all). To add a reader: one file that implements [`OutboxConsumer`], and its line in the binary's list of readers.

use async_trait::async_trait;

use super::event::OutboxRow;
use crate::error::Fault;
use crate::ticketing::ports::InventoryError;

/// Somebody who hears of facts.
#[async_trait]
pub trait OutboxConsumer: Send + Sync + 'static {
    /// Its name in logs.
    fn name(&self) -> &'static str;

    /// Takes note of a row; facts that are none of its business are answered `Ok`. The same row may come again.
    ///
    /// # Errors
    /// [`ReadError::Later`] where it could not take note: the row, and every later one of its aggregate, comes again.
    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError>;
}

/// Why a reader did not take note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Again after a while; the reason is for the log.
    #[error("later: {0}")]
    Later(String),
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        Self::Later(fault.to_string())
    }
}

impl From<InventoryError> for ReadError {
    /// Whatever the reason, the warm tier did not follow: it must be told again.
    fn from(error: InventoryError) -> Self {
        Self::Later(error.to_string())
    }
}
