//! Wakes this process's job runner and outbox relay after a commit that wrote something for them. A hint only: polling finds what a wake misses.

use tokio::sync::Notify;

/// One wakeup per kind of row.
#[derive(Debug, Default)]
pub(crate) struct Wakeups {
    jobs: Wakeup,
    outbox: Wakeup,
}

impl Wakeups {
    pub(crate) fn jobs(&self) -> &Wakeup {
        &self.jobs
    }

    pub(crate) fn outbox(&self) -> &Wakeup {
        &self.outbox
    }
}

/// Wakes all current waiters, and the next one if there is none.
#[derive(Debug, Default)]
pub(crate) struct Wakeup(Notify);

impl Wakeup {
    pub(crate) fn wake(&self) {
        self.0.notify_waiters();
        // Stores a permit for the next waiter, so that a wake between two waits is not lost.
        self.0.notify_one();
    }

    pub(crate) async fn notified(&self) {
        self.0.notified().await;
    }
}
