//! Which tiers a request touched, so that the share of requests that never reach the cold tier is a figure (P11).
//!
//! The surface wraps a request in [`observe`]; the cold adapter calls [`cold_read`] or [`cold_write`] in the request's task before it hands
//! work to anybody else. Never: anything that decides; outside a request the marks are only counted.

use std::cell::Cell;
use std::future::Future;

use crate::metrics::cold;

tokio::task_local! {
    static TOUCHED: Cell<Touched>;
}

/// What a request touched of the cold tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Touched {
    /// Statements that read.
    pub reads: u32,
    /// Transactions that wrote, or were handed to the committer.
    pub writes: u32,
}

impl Touched {
    /// True where the request reached the cold tier at all.
    #[must_use]
    pub const fn cold(self) -> bool {
        self.reads > 0 || self.writes > 0
    }
}

/// Runs `request` and says what it touched; what it spawned elsewhere is not seen.
pub async fn observe<F: Future>(request: F) -> (F::Output, Touched) {
    TOUCHED
        .scope(Cell::default(), async {
            let output = request.await;
            (output, TOUCHED.with(Cell::get))
        })
        .await
}

/// Marks that the current request reads from the cold tier.
pub fn cold_read() {
    cold::cold_touched(cold::Access::Read);
    mark(|touched| touched.reads = touched.reads.saturating_add(1));
}

/// Marks that the current request writes to the cold tier.
pub fn cold_write() {
    cold::cold_touched(cold::Access::Write);
    mark(|touched| touched.writes = touched.writes.saturating_add(1));
}

fn mark(change: impl FnOnce(&mut Touched)) {
    // No request around it (a job, a start-up step): nothing to attribute it to.
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
    async fn marks_belong_to_the_request_that_made_them() {
        cold_read();
        let (answer, touched) = observe(async {
            cold_read();
            tokio::task::yield_now().await;
            cold_read();
            cold_write();
            7
        })
        .await;
        assert_eq!((answer, touched), (7, Touched { reads: 2, writes: 1 }));
        assert!(touched.cold());
        let ((), untouched) = observe(async {}).await;
        assert!(!untouched.cold());
    }
}
