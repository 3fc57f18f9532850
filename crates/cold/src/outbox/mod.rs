//! Facts on their way out: [`append`] writes them in the commit of the state they tell of; the relay takes and marks them (P8).
//!
//! Never: a cursor over ids (a later commit may carry a smaller one), a later row of an aggregate taken while an earlier one is in other hands, a batch
//! that fails because one of its rows cannot be decoded.
//! The relay acts for all organizations (system role). To add an operation: its file, and its line in the port below.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::outbox::event::{TakenRows, UnreadableRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_domain::time::Timestamp;

use crate::Cold;

mod append;
mod body;
mod mark;
mod take;
#[cfg(test)]
mod tests;
mod unreadable;

pub(crate) use append::append;

#[async_trait]
impl OutboxStore for Cold {
    async fn take(&self, most: u32, now: Timestamp, lease: Duration) -> StoreResult<TakenRows> {
        Ok(take::take(&self.db, most, now, lease).await?)
    }

    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> StoreResult<()> {
        Ok(mark::delivered(&self.db, ids, now).await?)
    }

    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> StoreResult<()> {
        Ok(mark::postpone(&self.db, ids, at).await?)
    }

    async fn pending(&self, now: Timestamp) -> StoreResult<(u64, u64)> {
        Ok(mark::pending(&self.db, now).await?)
    }

    async fn unreadable(&self, most: u32) -> StoreResult<Vec<UnreadableRow>> {
        Ok(unreadable::unreadable(&self.db, most).await?)
    }

    async fn written(&self) {
        self.db.signals().outbox().heard().await;
    }
}
