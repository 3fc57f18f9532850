//! A limit on how many calls run at once and how many may wait for that; everybody else is refused at once (P9).
//!
//! Never: a queue without a limit. One bulkhead per dependency, so that a slow one cannot take every worker of the process.

use tokio::sync::{Semaphore, SemaphorePermit};
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::episode::Episode;

/// How much fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadLimit {
    /// The limit's stable name, e.g. `payments`.
    pub name: &'static str,
    /// Calls that run at once; at least one.
    pub running: usize,
    /// Calls that wait for one of these to end.
    pub waiting: usize,
}

/// The waiting room is full; nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bulkhead `{}` is full: {} calls run and {} wait", limit.name, limit.running, limit.waiting)]
pub struct BulkheadFull {
    /// The limit that was met.
    pub limit: BulkheadLimit,
}

/// The bulkhead of one dependency.
#[derive(Debug)]
pub struct Bulkhead {
    limit: BulkheadLimit,
    running: Semaphore,
    waiting: Semaphore,
    episode: Episode,
}

/// A place inside the bulkhead; dropping it lets the next one in.
#[derive(Debug)]
#[must_use = "dropping it leaves the bulkhead"]
pub struct BulkheadPermit<'a> {
    name: &'static str,
    _place: SemaphorePermit<'a>,
}

impl Bulkhead {
    /// An empty bulkhead.
    #[must_use]
    pub fn new(limit: BulkheadLimit) -> Self {
        let limit = BulkheadLimit {
            running: limit.running.clamp(1, Semaphore::MAX_PERMITS),
            waiting: limit.waiting.min(Semaphore::MAX_PERMITS),
            ..limit
        };
        Self {
            limit,
            running: Semaphore::new(limit.running),
            waiting: Semaphore::new(limit.waiting),
            episode: Episode::new("bulkhead", limit.name),
        }
    }

    /// Its limit.
    #[must_use]
    pub const fn limit(&self) -> BulkheadLimit {
        self.limit
    }

    /// Enters, waiting in line where nothing is free; safe to drop while waiting.
    ///
    /// # Errors
    /// [`BulkheadFull`], at once, where the waiting room is full too.
    pub async fn enter(&self) -> Result<BulkheadPermit<'_>, BulkheadFull> {
        // Whoever waits is first in line: the semaphore hands a freed place to them before it can be tried for.
        if let Ok(place) = self.running.try_acquire() {
            return Ok(self.inside(place));
        }
        let Ok(chair) = self.waiting.try_acquire() else { return Err(self.full()) };
        // The semaphore is never closed, so the only outcome is a place.
        let place = self.running.acquire().await.map_err(|_| self.full())?;
        drop(chair);
        Ok(self.inside(place))
    }

    fn inside<'a>(&'a self, place: SemaphorePermit<'a>) -> BulkheadPermit<'a> {
        self.episode.passed();
        metrics::bulkhead_running(self.limit.name, 1);
        BulkheadPermit { name: self.limit.name, _place: place }
    }

    fn full(&self) -> BulkheadFull {
        self.episode.refused();
        metrics::bulkhead_rejected(self.limit.name);
        BulkheadFull { limit: self.limit }
    }
}

impl Drop for BulkheadPermit<'_> {
    fn drop(&mut self) {
        metrics::bulkhead_running(self.name, -1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::timeout;

    const LIMIT: BulkheadLimit = BulkheadLimit { name: "test", running: 2, waiting: 1 };

    #[tokio::test(start_paused = true)]
    async fn what_neither_fits_nor_may_wait_is_refused_at_once() {
        let bulkhead = Arc::new(Bulkhead::new(LIMIT));
        let first = bulkhead.enter().await.unwrap();
        let second = bulkhead.enter().await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        waiting.spawn({
            let bulkhead = Arc::clone(&bulkhead);
            async move { bulkhead.enter().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert_eq!(bulkhead.enter().await.map(drop), Err(BulkheadFull { limit: LIMIT }));
        drop(first);
        assert_eq!(waiting.join_all().await, [Ok(())], "who waited gets the freed place");
        drop(second);
        assert!(bulkhead.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_waiting_gives_the_chair_back() {
        let bulkhead = Bulkhead::new(BulkheadLimit { running: 1, ..LIMIT });
        let inside = bulkhead.enter().await.unwrap();
        for _ in 0..3 {
            let waited = timeout(Duration::from_millis(10), bulkhead.enter()).await;
            assert!(waited.is_err(), "it waits rather than being refused");
        }
        drop(inside);
        assert!(bulkhead.enter().await.is_ok());
    }

    #[tokio::test]
    async fn a_limit_of_nothing_still_lets_one_run() {
        let bulkhead = Bulkhead::new(BulkheadLimit { name: "test", running: 0, waiting: 0 });
        let inside = bulkhead.enter().await.unwrap();
        assert!(bulkhead.enter().await.is_err());
        drop(inside);
        assert!(bulkhead.enter().await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_run_than_the_limit_says() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
        let bulkhead = Arc::new(Bulkhead::new(BulkheadLimit { name: "test", running: 3, waiting: 100 }));
        let inside = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (bulkhead, inside) = (Arc::clone(&bulkhead), Arc::clone(&inside));
            tasks.spawn(async move {
                let _place = bulkhead.enter().await.unwrap();
                let now = inside.fetch_add(1, SeqCst) + 1;
                tokio::task::yield_now().await;
                inside.fetch_sub(1, SeqCst);
                now
            });
        }
        let most = tasks.join_all().await.into_iter().max();
        assert!(most <= Some(3), "{most:?}");
    }
}
