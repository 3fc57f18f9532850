//! Wraps the real store so that a test can make it unavailable; every call then fails without changing anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, NewJob, Queue, QueueDepth, UnreadableJob};
use voelgoed_app::outbox::event::{TakenRows, UnreadableRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_cold::Cold;
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

/// The real store behind a switch.
pub struct SwitchableStore {
    store: Arc<Cold>,
    is_unavailable: AtomicBool,
    ends_refused: watch::Sender<u32>,
}

impl SwitchableStore {
    pub fn new(store: Arc<Cold>) -> Arc<Self> {
        Arc::new(Self { store, is_unavailable: AtomicBool::new(false), ends_refused: watch::Sender::new(0) })
    }

    pub fn make_unavailable(&self) {
        self.is_unavailable.store(true, Ordering::SeqCst);
    }

    pub fn make_available(&self) {
        self.is_unavailable.store(false, Ordering::SeqCst);
    }

    /// The number of outcomes that could not be written.
    pub fn ends_refused(&self) -> watch::Receiver<u32> {
        self.ends_refused.subscribe()
    }

    fn available(&self) -> StoreResult<&Cold> {
        if self.is_unavailable.load(Ordering::SeqCst) {
            return Err(Fault::unavailable(Dependency::Cold, "switched off"));
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl JobStore for SwitchableStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StoreResult<()> {
        self.available()?.enqueue(jobs).await
    }
    async fn lease(
        &self,
        queue: Queue,
        kinds: &[&'static str],
        rows_max: u32,
        now: Timestamp,
        lasts: Duration,
    ) -> StoreResult<Vec<LeasedJob>> {
        self.available()?.lease(queue, kinds, rows_max, now, lasts).await
    }
    async fn unreadable(
        &self,
        kinds: &[&'static str],
        now: Timestamp,
        rows_max: u32,
    ) -> StoreResult<Vec<UnreadableJob>> {
        JobStore::unreadable(self.available()?, kinds, now, rows_max).await
    }
    async fn end(&self, id: JobId, lease: Uuid, end: JobEnd, now: Timestamp) -> StoreResult<bool> {
        let store = self.available().inspect_err(|_| self.ends_refused.send_modify(|times| *times += 1));
        store?.end(id, lease, end, now).await
    }
    async fn renew(&self, id: JobId, lease: Uuid, until: Timestamp) -> StoreResult<bool> {
        self.available()?.renew(id, lease, until).await
    }
    async fn claim_schedule(&self, name: &'static str, period: Duration, now: Timestamp) -> StoreResult<bool> {
        self.available()?.claim_schedule(name, period, now).await
    }
    async fn depth(&self, queue: Queue, now: Timestamp) -> StoreResult<QueueDepth> {
        self.available()?.depth(queue, now).await
    }
    async fn dead(&self, rows_max: u32) -> StoreResult<Vec<LeasedJob>> {
        self.available()?.dead(rows_max).await
    }
    async fn revive(&self, id: JobId, now: Timestamp) -> StoreResult<bool> {
        self.available()?.revive(id, now).await
    }
    async fn written(&self) {
        JobStore::written(&*self.store).await;
    }
}

#[async_trait]
impl OutboxStore for SwitchableStore {
    async fn take(&self, rows_max: u32, now: Timestamp, lease: Duration) -> StoreResult<TakenRows> {
        self.available()?.take(rows_max, now, lease).await
    }
    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> StoreResult<()> {
        self.available()?.delivered(ids, now).await
    }
    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> StoreResult<()> {
        self.available()?.postpone(ids, at).await
    }
    async fn pending(&self, now: Timestamp) -> StoreResult<(u64, u64)> {
        self.available()?.pending(now).await
    }
    async fn unreadable(&self, rows_max: u32) -> StoreResult<Vec<UnreadableRow>> {
        OutboxStore::unreadable(self.available()?, rows_max).await
    }
    async fn written(&self) {
        OutboxStore::written(&*self.store).await;
    }
}
