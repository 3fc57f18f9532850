//! Applies outbox events that other nodes publish on the cluster bus to this node's caches, order watchers and gate streams.
//!
//! After each (re)connect, watchers read again and caches revalidate, since messages may have been missed; an entry that cannot be revalidated is used with its age.
//! Never: acknowledges an outbox event; the relay does.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage};
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::scanning::gate_signals::GateWatch;
use voelgoed_app::slices::Slices;

/// Before the next subscription.
const RESUBSCRIBE_DELAY: Duration = Duration::from_millis(500);

/// The task's parts.
pub struct ClusterBusListener {
    /// The bus.
    pub cluster_bus: Arc<dyn ClusterBus>,
    /// This node; its own messages are ignored.
    pub node: Uuid,
    /// Receive each event.
    pub consumers: Vec<Arc<dyn OutboxConsumer>>,
    /// Their watchers and caches resynchronize after a reconnect.
    pub slices: Slices,
    /// Notifies gate streams to read again after a reconnect.
    pub gate_watch: GateWatch,
}

impl ClusterBusListener {
    /// Listens until cancelled.
    pub async fn listen(self) {
        let mut is_disconnected = false;
        loop {
            match self.cluster_bus.subscribe().await {
                Ok(mut messages) => {
                    is_disconnected = false;
                    self.resync();
                    while let Some(message) = messages.receiver.recv().await {
                        self.apply(message).await;
                    }
                }
                Err(fault) => {
                    if !std::mem::replace(&mut is_disconnected, true) {
                        tracing::warn!(%fault, "cannot subscribe to the cluster bus; retrying");
                    }
                }
            }
            tokio::time::sleep(RESUBSCRIBE_DELAY).await;
        }
    }

    async fn apply(&self, message: ClusterMessage) {
        if message.from == self.node {
            return;
        }
        let row = OutboxRow {
            id: Uuid::nil(),
            organization: message.organization,
            aggregate: Uuid::nil(),
            version: 0,
            outbox_event: message.outbox_event,
            at: self.slices.context.now(),
        };
        for consumer in &self.consumers {
            if let Err(error) = consumer.consume(&row).await {
                tracing::debug!(%error, reader = consumer.name(), "a cluster message was not applied");
            }
        }
    }

    /// Invalidates the caches and wakes the watchers, because messages may have been missed.
    fn resync(&self) {
        self.slices.checkout.views.invalidate_all();
        self.slices.checkout.watch.resync();
        self.gate_watch.resync();
        self.slices.catalog.listings.revalidate_all();
        self.slices.accounts.credentials.revalidate_all();
    }
}
