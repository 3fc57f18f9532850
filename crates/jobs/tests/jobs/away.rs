//! A store that goes away and comes back when a test says so; while it is away nothing is changed.

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
pub struct Away {
    store: Arc<Cold>,
    is_away: AtomicBool,
    ends_refused: watch::Sender<u32>,
}

impl Away {
    pub fn new(store: Arc<Cold>) -> Arc<Self> {
        Arc::new(Self { store, is_away: AtomicBool::new(false), ends_refused: watch::Sender::new(0) })
    }

    pub fn goes(&self) {
        self.is_away.store(true, Ordering::SeqCst);
    }

    pub fn comes_back(&self) {
        self.is_away.store(false, Ordering::SeqCst);
    }

    /// How many outcomes could not be written so far.
    pub fn ends_refused(&self) -> watch::Receiver<u32> {
        self.ends_refused.subscribe()
    }

    fn there(&self) -> StoreResult<&Cold> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Fault::away(Dependency::Cold, "switched off"));
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl JobStore for Away {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> StoreResult<()> {
        self.there()?.enqueue(jobs).await
    }
    async fn lease(
        &self,
        queue: Queue,
        kinds: &[&'static str],
        most: u32,
        now: Timestamp,
        lasts: Duration,
    ) -> StoreResult<Vec<LeasedJob>> {
        self.there()?.lease(queue, kinds, most, now, lasts).await
    }
    async fn unreadable(&self, kinds: &[&'static str], now: Timestamp, most: u32) -> StoreResult<Vec<UnreadableJob>> {
        JobStore::unreadable(self.there()?, kinds, now, most).await
    }
    async fn end(&self, id: JobId, lease: Uuid, end: JobEnd, now: Timestamp) -> StoreResult<bool> {
        let there = self.there().inspect_err(|_| self.ends_refused.send_modify(|times| *times += 1));
        there?.end(id, lease, end, now).await
    }
    async fn renew(&self, id: JobId, lease: Uuid, until: Timestamp) -> StoreResult<bool> {
        self.there()?.renew(id, lease, until).await
    }
    async fn claim_schedule(&self, name: &'static str, period: Duration, now: Timestamp) -> StoreResult<bool> {
        self.there()?.claim_schedule(name, period, now).await
    }
    async fn depth(&self, queue: Queue, now: Timestamp) -> StoreResult<QueueDepth> {
        self.there()?.depth(queue, now).await
    }
    async fn dead(&self, most: u32) -> StoreResult<Vec<LeasedJob>> {
        self.there()?.dead(most).await
    }
    async fn revive(&self, id: JobId, now: Timestamp) -> StoreResult<bool> {
        self.there()?.revive(id, now).await
    }
    async fn written(&self) {
        JobStore::written(&*self.store).await;
    }
}

#[async_trait]
impl OutboxStore for Away {
    async fn take(&self, most: u32, now: Timestamp, lease: Duration) -> StoreResult<TakenRows> {
        self.there()?.take(most, now, lease).await
    }
    async fn delivered(&self, ids: &[Uuid], now: Timestamp) -> StoreResult<()> {
        self.there()?.delivered(ids, now).await
    }
    async fn postpone(&self, ids: &[Uuid], at: Timestamp) -> StoreResult<()> {
        self.there()?.postpone(ids, at).await
    }
    async fn pending(&self, now: Timestamp) -> StoreResult<(u64, u64)> {
        self.there()?.pending(now).await
    }
    async fn unreadable(&self, most: u32) -> StoreResult<Vec<UnreadableRow>> {
        OutboxStore::unreadable(self.there()?, most).await
    }
    async fn written(&self) {
        OutboxStore::written(&*self.store).await;
    }
}
