//! Tells this process's own runners that a commit wrote something for them. A hint only: polling finds the rest.

use tokio::sync::Notify;

/// One signal per reader.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    jobs: Signal,
    outbox: Signal,
}

impl Signals {
    /// Rang when jobs were written.
    pub(crate) fn jobs(&self) -> &Signal {
        &self.jobs
    }

    /// Rang when outbox rows were written.
    pub(crate) fn outbox(&self) -> &Signal {
        &self.outbox
    }
}

/// A bell: who waits hears it, and one who comes later hears the last ring.
#[derive(Debug, Default)]
pub(crate) struct Signal(Notify);

impl Signal {
    pub(crate) fn ring(&self) {
        self.0.notify_waiters();
        // Kept for the next who waits, so that a ring between two waits is not lost.
        self.0.notify_one();
    }

    pub(crate) async fn heard(&self) {
        self.0.notified().await;
    }
}
