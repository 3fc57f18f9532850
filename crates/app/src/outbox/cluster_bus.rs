//! Publishes outbox events to the other nodes, so that their caches and watchers follow at once.
//!
//! A message may be lost, so no decision depends on one: a subscriber whose receiver ends invalidates its caches and wakes its watchers, and caches expire by age.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;
use voelgoed_domain::ids::OrganizationId;

use super::consumer::{ConsumeError, OutboxConsumer};
use super::event::{OutboxEvent, OutboxRow};
use crate::error::StoreResult;

/// An outbox event as nodes publish it to each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterMessage {
    /// The publishing node, whose own consumers have the event already.
    pub from: Uuid,
    /// The tenant.
    pub organization: OrganizationId,
    /// The outbox event; `fact` in JSON, which nodes of other versions read.
    #[serde(rename = "fact")]
    pub outbox_event: OutboxEvent,
}

/// The channel between nodes.
#[async_trait]
pub trait ClusterBus: Send + Sync + 'static {
    /// Sends a message to all current subscribers, this node included.
    async fn publish(&self, message: &ClusterMessage) -> StoreResult<()>;

    /// Receives the messages that are published from now on.
    async fn subscribe(&self) -> StoreResult<ClusterMessages>;
}

/// A subscription; messages of one node arrive in their order.
pub struct ClusterMessages {
    /// Ends if the connection was lost or this subscriber was too slow; subscribe again then.
    pub receiver: mpsc::Receiver<ClusterMessage>,
    /// Keeps the connection open.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// Publishes delivered events to the other nodes, except changes of places, which the warm tier's log carries.
pub struct ClusterPublisher {
    /// The bus.
    pub bus: Arc<dyn ClusterBus>,
    /// This node.
    pub node: Uuid,
}

#[async_trait]
impl OutboxConsumer for ClusterPublisher {
    fn name(&self) -> &'static str {
        "cluster_bus"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        if matches!(row.outbox_event, OutboxEvent::PlacesChanged { .. }) {
            return Ok(());
        }
        let message =
            ClusterMessage { from: self.node, organization: row.organization, outbox_event: row.outbox_event.clone() };
        if let Err(fault) = self.bus.publish(&message).await {
            // The subscribers have lost the connection too and read everything again after they reconnect.
            tracing::debug!(%fault, organization = %row.organization, "an outbox event was not published to the other nodes");
        }
        Ok(())
    }
}
