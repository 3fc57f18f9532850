//! Implements the outbox: [`append`] writes events in the commit of their state change; the relay takes rows and marks them as delivered (P8).
//!
//! The relay acts for all organizations (system role).
//! Never: a cursor over ids (a later commit may have a smaller one), a row of an aggregate taken while an earlier one is leased, a batch that fails because
//! one of its rows cannot be decoded.
//! To add an operation: its file, and its line in the port below.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::outbox::event::{TakenRows, UnreadableRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_domain::time::Timestamp;

use crate::Cold;

mod append;
mod batch;
mod delivery;
mod event_body;
mod take;
#[cfg(test)]
mod tests;
mod unreadable;

pub(crate) use append::append;
pub(crate) use batch::OutboxBatch;

#[async_trait]
impl OutboxStore for Cold {
    async fn take(&self, limit: u32, now: Timestamp, lease: Duration) -> StoreResult<TakenRows> {
        Ok(take::take(&self.db, limit, now, lease).await?)
    }

    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> StoreResult<()> {
        Ok(delivery::delivered(&self.db, ids, now).await?)
    }

    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> StoreResult<()> {
        Ok(delivery::postpone(&self.db, ids, at).await?)
    }

    async fn pending(&self, now: Timestamp) -> StoreResult<(u64, u64)> {
        Ok(delivery::pending(&self.db, now).await?)
    }

    async fn unreadable(&self, limit: u32) -> StoreResult<Vec<UnreadableRow>> {
        Ok(unreadable::unreadable(&self.db, limit).await?)
    }

    async fn written(&self) {
        self.db.wakeups().outbox().notified().await;
    }
}
