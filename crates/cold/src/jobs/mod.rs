//! Implements the durable job queue: [`insert`] writes jobs in the commit of the state that needs them; runners lease, renew and end them.
//!
//! The runner acts for all organizations (system role).
//! Never: a change by a runner that lost the lease (every where clause has its token), two jobs with one key that are not dead.
//! To add an operation: its file, and its line in the port below.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, NewJob, Queue, QueueDepth, UnreadableJob};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::SystemRole;

mod depth;
mod end;
mod insert;
mod job_row;
mod lease;
mod schedule;
mod unreadable;

pub(crate) use insert::insert;

#[async_trait]
impl JobStore for Cold {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StoreResult<()> {
        let mut tx = self.db.begin(SystemRole::Jobs).await?;
        insert(&mut tx, &jobs).await?;
        Ok(tx.commit().await?)
    }

    async fn lease(
        &self,
        queue: Queue,
        kinds: &[&'static str],
        limit: u32,
        now: Timestamp,
        lasts: Duration,
    ) -> StoreResult<Vec<LeasedJob>> {
        let lease = lease::Lease { token: self.environment.uuid(), now, until: now.plus(lasts) };
        Ok(lease::lease(&self.db, queue, kinds, limit, lease).await?)
    }

    async fn unreadable(&self, kinds: &[&'static str], now: Timestamp, limit: u32) -> StoreResult<Vec<UnreadableJob>> {
        Ok(unreadable::unreadable(&self.db, kinds, now, limit).await?)
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

    async fn dead(&self, limit: u32) -> StoreResult<Vec<LeasedJob>> {
        Ok(depth::dead(&self.db, limit).await?)
    }

    async fn revive(&self, id: JobId, now: Timestamp) -> StoreResult<bool> {
        Ok(end::revive(&self.db, id, now).await?)
    }

    async fn written(&self) {
        self.db.wakeups().jobs().notified().await;
    }
}
