//! Records in a task-local which accesses to the cold tier a request makes, so that a metric shows the share without any (P11).
//!
//! The web crate wraps a request in [`observe`]. The cold adapter calls [`cold_read`] or [`cold_write`] in the request's task, before it
//! passes work to another task. Outside of a request accesses are only counted.

use std::cell::Cell;
use std::future::Future;

use crate::metrics::cold;

tokio::task_local! {
    static TOUCHED: Cell<Touched>;
}

/// The accesses of one request to the cold tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Touched {
    /// Reading statements.
    pub reads: u32,
    /// Writing transactions, those of the committer included.
    pub writes: u32,
}

impl Touched {
    /// True if the request accessed the cold tier.
    #[must_use]
    pub const fn cold(self) -> bool {
        self.reads > 0 || self.writes > 0
    }
}

/// Runs `request` and returns its accesses; those of tasks that it spawns are not included.
pub async fn observe<F: Future>(request: F) -> (F::Output, Touched) {
    TOUCHED
        .scope(Cell::default(), async {
            let output = request.await;
            (output, TOUCHED.with(Cell::get))
        })
        .await
}

/// Records a read of the current request.
pub fn cold_read() {
    cold::cold_accessed(cold::ColdAccess::Read);
    record(|touched| touched.reads = touched.reads.saturating_add(1));
}

/// Records a write of the current request.
pub fn cold_write() {
    cold::cold_accessed(cold::ColdAccess::Write);
    record(|touched| touched.writes = touched.writes.saturating_add(1));
}

fn record(change: impl FnOnce(&mut Touched)) {
    // Fails outside of a request, e.g. in a job or during start-up.
    let _ = TOUCHED.try_with(|cell| {
        let mut touched = cell.get();
        change(&mut touched);
        cell.set(touched);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accesses_are_recorded_for_the_request_that_makes_them() {
        cold_read();
        let (output, touched) = observe(async {
            cold_read();
            tokio::task::yield_now().await;
            cold_read();
            cold_write();
            7
        })
        .await;
        assert_eq!((output, touched), (7, Touched { reads: 2, writes: 1 }));
        assert!(touched.cold());
        let ((), untouched) = observe(async {}).await;
        assert!(!untouched.cold());
    }
}
