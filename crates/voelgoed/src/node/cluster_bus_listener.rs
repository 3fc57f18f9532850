//! Applies outbox events that other nodes publish on the cluster bus to the consumers of this node's slices.
//!
//! After each (re)connect, watchers read again and caches revalidate, since messages may have been missed; an entry that cannot be revalidated is used with its age.
//! Never: acknowledges an outbox event; the relay does.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage};
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::slice::Slice;

/// Before the next subscription.
const RESUBSCRIBE_DELAY: Duration = Duration::from_millis(500);

/// The task's parts.
pub struct ClusterBusListener {
    /// The bus.
    pub cluster_bus: Arc<dyn ClusterBus>,
    /// This node; its own messages are ignored.
    pub node: Uuid,
    /// Their node consumers receive each event; their watchers and caches resynchronize after a reconnect.
    pub slices: Vec<Arc<dyn Slice>>,
    /// The clock.
    pub environment: Arc<dyn Environment>,
}

impl ClusterBusListener {
    /// Listens until cancelled.
    pub async fn listen(self) {
        let consumers: Vec<_> = self.slices.iter().flat_map(|slice| slice.node_consumers()).collect();
        let mut is_disconnected = false;
        loop {
            match self.cluster_bus.subscribe().await {
                Ok(mut messages) => {
                    is_disconnected = false;
                    self.slices.iter().for_each(|slice| slice.resync());
                    while let Some(message) = messages.receiver.recv().await {
                        self.apply(message, &consumers).await;
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

    async fn apply(&self, message: ClusterMessage, consumers: &[Arc<dyn OutboxConsumer>]) {
        if message.from == self.node {
            return;
        }
        let row = OutboxRow {
            id: Uuid::nil(),
            organization: message.organization,
            aggregate: Uuid::nil(),
            version: 0,
            outbox_event: message.outbox_event,
            at: self.environment.now(),
        };
        for consumer in consumers {
            if let Err(error) = consumer.consume(&row).await {
                tracing::debug!(%error, reader = consumer.name(), "a cluster message was not applied");
            }
        }
    }
}
