//! Builds scanning from its ports and declares what it runs beside requests: signals to gates, pending filter updates, and the replay of offline scans.

use std::sync::Arc;

use super::Scanning;
use super::gate_filter_sync::FLUSH_INTERVAL;
use super::gate_notifications::GateNotifications;
use super::gate_signals::GateWatch;
use super::ports::{GateTickets, OfflineScanJournal, ScanStore};
use super::replay_offline_scans::REPLAY_INTERVAL;
use crate::adapters::Adapters;
use crate::loops::{Loop, LoopNodes};
use crate::outbox::consumer::OutboxConsumer;
use crate::retention::class::RetentionClass;
use crate::slice::Slice;

/// Scans, by the time of receipt; admissions stay in the entries.
pub const RECEIVED_SCANS: RetentionClass = RetentionClass { name: "scans", period: |periods| periods.scans };

impl Scanning {
    /// The slice's name.
    pub const NAME: &'static str = "scanning";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: ScanStore + GateTickets, W: OfflineScanJournal>(adapters: &Adapters<C, W>) -> Self {
        let node = &adapters.node;
        Self {
            context: node.context.clone(),
            store: adapters.cold.clone(),
            journal: adapters.warm.clone(),
            pending: Arc::default(),
            loader: Arc::clone(&node.loader),
            tickets: adapters.cold.clone(),
            directory: Arc::clone(&node.gate_directory),
            listings: Arc::clone(&node.listings),
            gate_watch: GateWatch::default(),
        }
    }

    /// Writes scans that warm decided alone to cold once cold answers.
    async fn replay_and_log(&self) {
        match self.replay_offline_scans().await {
            Ok(0) => {}
            Ok(scans) => tracing::info!(scans, slice = "scanning", "offline scans were replayed to cold"),
            // Either tier is unavailable; the next round retries.
            Err(error) => tracing::debug!(%error, slice = "scanning", "offline scans were not replayed"),
        }
    }
}

impl Slice for Scanning {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn node_consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        vec![Arc::new(GateNotifications(self.gate_watch.clone()))]
    }

    fn resync(&self) {
        self.gate_watch.resync();
    }

    fn loops(self: Arc<Self>) -> Vec<Loop> {
        let flushes = Arc::clone(&self);
        vec![
            Loop::every(FLUSH_INTERVAL, LoopNodes::All, move |_| {
                let scanning = Arc::clone(&flushes);
                async move { scanning.flush_all_pending().await }
            }),
            Loop::every(REPLAY_INTERVAL, LoopNodes::Workers, move |_| {
                let scanning = Arc::clone(&self);
                async move { scanning.replay_and_log().await }
            }),
        ]
    }

    fn retention(&self) -> Vec<RetentionClass> {
        vec![RECEIVED_SCANS]
    }
}
