//! Builds payments from its ports and declares what it runs beside requests: its jobs, the sender of charges, and the reconciler.

use std::sync::Arc;

use futures::StreamExt;

use super::Payments;
use super::execute_refund::RefundHandler;
use super::order_ports::PayableOrders;
use super::ports::PaymentStore;
use super::resolve_attempts::RECONCILE_INTERVAL;
use super::settle_unmatched_capture::UnmatchedCaptureHandler;
use crate::adapters::Adapters;
use crate::idempotency::IdempotencyStore;
use crate::jobs::handler::JobHandler;
use crate::loops::{Loop, LoopNodes};
use crate::replays::Replays;
use crate::scanning::Scanning;
use crate::slice::Slice;
use crate::ticketing::Ticketing;

/// Charges that are sent to providers at once.
const CONCURRENT_SENDS_MAX: usize = 64;

impl Payments {
    /// The slice's name.
    pub const NAME: &'static str = "payments";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: PaymentStore + PayableOrders + IdempotencyStore, W>(
        adapters: &Adapters<C, W>,
        ticketing: &Arc<Ticketing>,
        scanning: &Arc<Scanning>,
    ) -> Self {
        let node = &adapters.node;
        Self {
            context: node.context.clone(),
            store: adapters.cold.clone(),
            gateways: node.gateways.clone(),
            send_queue: Arc::default(),
            orders: adapters.cold.clone(),
            updates: Arc::clone(&node.order_updates),
            listings: Arc::clone(&node.listings),
            places: ticketing.clone(),
            gate_filter: scanning.clone(),
            replays: Replays { context: node.context.clone(), store: adapters.cold.clone() },
        }
    }

    /// Sends committed charges to their providers, at most [`CONCURRENT_SENDS_MAX`] at once.
    async fn send_charges(&self) {
        let Some(receiver) = self.send_queue.take_receiver() else { return };
        let queue =
            futures::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
        queue
            .for_each_concurrent(CONCURRENT_SENDS_MAX, |(organization, payment)| {
                self.send_and_log(organization, payment)
            })
            .await;
    }

    /// Resolves payment attempts and expires unpaid orders.
    async fn reconcile(&self) {
        if let Err(error) = self.resolve_attempts().await {
            tracing::warn!(%error, slice = "payments", "unresolved attempts were not reconciled");
        }
        if let Err(error) = self.expire_orders().await {
            tracing::warn!(%error, slice = "payments", "overdue orders were not expired");
        }
    }
}

impl Slice for Payments {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn jobs(self: Arc<Self>) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(RefundHandler(Arc::clone(&self))), Arc::new(UnmatchedCaptureHandler(self))]
    }

    fn loops(self: Arc<Self>) -> Vec<Loop> {
        let sender = Arc::clone(&self);
        vec![
            // The node that took an order sends its charge at once; the reconciler finds charges of dead nodes.
            Loop::dropped_at_stop(LoopNodes::All, |_| async move { sender.send_charges().await }),
            Loop::every(RECONCILE_INTERVAL, LoopNodes::Workers, move |_| {
                let payments = Arc::clone(&self);
                async move { payments.reconcile().await }
            }),
        ]
    }
}
