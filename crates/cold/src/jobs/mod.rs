//! The durable queue: [`insert`] writes jobs in the commit of the state that calls for them; runners lease, end and renew them.
//!
//! Never: a change by who lost the lease (its token is in every where clause), two living jobs under one key. The runner acts for all organizations
//! (system role). To add an operation: its file, and its line in the port below.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, NewJob, Queue, QueueDepth, UnreadableJob};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::System;

mod depth;
mod end;
mod insert;
mod lease;
mod row;
mod schedule;
mod unreadable;

pub(crate) use insert::insert;

#[async_trait]
impl JobStore for Cold {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StoreResult<()> {
        let mut tx = self.db.begin(System::Jobs).await?;
        insert(&mut tx, &jobs).await?;
        Ok(tx.commit().await?)
    }

    async fn lease(
        &self,
        queue: Queue,
        kinds: &[&'static str],
        most: u32,
        now: Timestamp,
        lasts: Duration,
    ) -> StoreResult<Vec<LeasedJob>> {
        let lease = lease::Lease { token: self.environment.uuid(), now, until: now.plus(lasts) };
        Ok(lease::lease(&self.db, queue, kinds, most, lease).await?)
    }

    async fn unreadable(&self, kinds: &[&'static str], now: Timestamp, most: u32) -> StoreResult<Vec<UnreadableJob>> {
        Ok(unreadable::unreadable(&self.db, kinds, now, most).await?)
    }

    async fn end(&self, id: JobId, lease: Uuid, end: JobEnd, now: Timestamp) -> StoreResult<bool> {
        Ok(end::end(&self.db, id, lease, end, now).await?)
    }

    async fn renew(&self, id: JobId, lease: Uuid, until: Timestamp) -> StoreResult<bool> {
        Ok(lease::renew(&self.db, id, lease, until).await?)
    }

    async fn claim_schedule(&self, name: &'static str, period: Duration, now: Timestamp) -> StoreResult<bool> {
        Ok(schedule::claim(&self.db, name, period, now).await?)
    }

    async fn depth(&self, queue: Queue, now: Timestamp) -> StoreResult<QueueDepth> {
        Ok(depth::depth(&self.db, queue, now).await?)
    }

    async fn dead(&self, most: u32) -> StoreResult<Vec<LeasedJob>> {
        Ok(depth::dead(&self.db, most).await?)
    }

    async fn revive(&self, id: JobId, now: Timestamp) -> StoreResult<bool> {
        Ok(end::revive(&self.db, id, now).await?)
    }

    async fn written(&self) {
        self.db.signals().jobs().heard().await;
    }
}
