//! Limits how many calls run at once and how many wait for a free place, and refuses every further call at once (P9).
//!
//! Never: a queue without a limit. Each dependency has its own bulkhead, so that a slow one cannot occupy every worker of the process.

use tokio::sync::{Semaphore, SemaphorePermit};
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::outage_log::OutageLog;

/// The size of a bulkhead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadLimit {
    /// The stable name of the limit in metrics and logs, e.g. `payments`.
    pub name: &'static str,
    /// Calls that run at once; 0 is read as 1.
    pub running_max: usize,
    /// Calls that wait for a running one to end.
    pub waiting_max: usize,
}

/// The running and the waiting limit are reached; nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bulkhead `{}` is full: {} calls run and {} wait", limit.name, limit.running_max, limit.waiting_max)]
pub struct BulkheadFull {
    /// The limit that was reached.
    pub limit: BulkheadLimit,
}

/// The bulkhead of one dependency.
#[derive(Debug)]
pub struct Bulkhead {
    limit: BulkheadLimit,
    running: Semaphore,
    waiting: Semaphore,
    outages: OutageLog,
}

/// A place of the bulkhead; dropping the permit frees the place.
#[derive(Debug)]
#[must_use = "dropping the permit frees the place"]
pub struct BulkheadPermit<'a> {
    name: &'static str,
    _place: SemaphorePermit<'a>,
}

impl Bulkhead {
    /// A bulkhead in which no call runs.
    #[must_use]
    pub fn new(limit: BulkheadLimit) -> Self {
        let limit = BulkheadLimit {
            running_max: limit.running_max.clamp(1, Semaphore::MAX_PERMITS),
            waiting_max: limit.waiting_max.min(Semaphore::MAX_PERMITS),
            ..limit
        };
        Self {
            limit,
            running: Semaphore::new(limit.running_max),
            waiting: Semaphore::new(limit.waiting_max),
            outages: OutageLog::new("bulkhead", limit.name),
        }
    }

    /// The limit in force.
    #[must_use]
    pub const fn limit(&self) -> BulkheadLimit {
        self.limit
    }

    /// Takes a place, waiting in order of arrival if none is free. Cancel safe.
    ///
    /// # Errors
    /// [`BulkheadFull`], at once, if no place is free and as many calls wait as may.
    pub async fn enter(&self) -> Result<BulkheadPermit<'_>, BulkheadFull> {
        // The semaphore gives a freed place to the first waiting call, so this cannot overtake one.
        if let Ok(place) = self.running.try_acquire() {
            return Ok(self.admit(place));
        }
        let Ok(waiting) = self.waiting.try_acquire() else { return Err(self.full()) };
        // The semaphore is never closed, so this cannot fail.
        let place = self.running.acquire().await.map_err(|_| self.full())?;
        drop(waiting);
        Ok(self.admit(place))
    }

    fn admit<'a>(&'a self, place: SemaphorePermit<'a>) -> BulkheadPermit<'a> {
        self.outages.passed();
        metrics::bulkhead_running(self.limit.name, 1);
        BulkheadPermit { name: self.limit.name, _place: place }
    }

    fn full(&self) -> BulkheadFull {
        self.outages.refused();
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

    const LIMIT: BulkheadLimit = BulkheadLimit { name: "test", running_max: 2, waiting_max: 1 };

    #[tokio::test(start_paused = true)]
    async fn call_beyond_the_running_and_waiting_limits_is_refused_at_once() {
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
        assert_eq!(waiting.join_all().await, [Ok(())], "the waiting call gets the freed place");
        drop(second);
        assert!(bulkhead.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn cancelled_wait_frees_its_waiting_place() {
        let bulkhead = Bulkhead::new(BulkheadLimit { running_max: 1, ..LIMIT });
        let inside = bulkhead.enter().await.unwrap();
        for _ in 0..3 {
            let waited = timeout(Duration::from_millis(10), bulkhead.enter()).await;
            assert!(waited.is_err(), "waits instead of being refused");
        }
        drop(inside);
        assert!(bulkhead.enter().await.is_ok());
    }

    #[tokio::test]
    async fn running_limit_of_zero_still_admits_one_call() {
        let bulkhead = Bulkhead::new(BulkheadLimit { name: "test", running_max: 0, waiting_max: 0 });
        let inside = bulkhead.enter().await.unwrap();
        assert!(bulkhead.enter().await.is_err());
        drop(inside);
        assert!(bulkhead.enter().await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn concurrent_calls_never_exceed_the_running_limit() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
        let bulkhead = Arc::new(Bulkhead::new(BulkheadLimit { name: "test", running_max: 3, waiting_max: 100 }));
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
        let peak = tasks.join_all().await.into_iter().max();
        assert!(peak <= Some(3), "{peak:?}");
    }
}
