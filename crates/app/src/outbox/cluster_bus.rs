//! Word between nodes: the one that relays a fact tells the others, so that whoever watches there hears of it at once.
//!
//! Never a promise: a notice may be lost, so nothing is decided by one. Whoever listens learns that something may have been missed (its receiver
//! ends), and reads anew what it shows; caches end by their age in any case.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;
use voelgoed_domain::ids::OrganizationId;

use super::consumer::{OutboxConsumer, ReadError};
use super::event::{OutboxEvent, OutboxRow};
use crate::error::StoreResult;

/// A fact as nodes tell it each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterMessage {
    /// The node that tells; it has told its own already.
    pub from: Uuid,
    /// The tenant.
    pub organization: OrganizationId,
    /// What happened.
    pub fact: OutboxEvent,
}

/// The way between nodes.
#[async_trait]
pub trait ClusterBus: Send + Sync + 'static {
    /// Tells all who listen now, this node included.
    async fn tell(&self, notice: &ClusterMessage) -> StoreResult<()>;

    /// Listens from now on.
    async fn listen(&self) -> StoreResult<ClusterMessages>;
}

/// What is heard, in the order of each teller.
pub struct ClusterMessages {
    /// Ends where the way was interrupted or its reader too slow: listen anew.
    pub heard: mpsc::Receiver<ClusterMessage>,
    /// Whatever must live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// The relay's reader that tells the other nodes. Places are not told: the warm tier's own log tells of them.
pub struct ClusterPublisher {
    /// The way.
    pub bulletin: Arc<dyn ClusterBus>,
    /// This node.
    pub node: Uuid,
}

#[async_trait]
impl OutboxConsumer for ClusterPublisher {
    fn name(&self) -> &'static str {
        "bulletin"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        if matches!(row.fact, OutboxEvent::PlacesChanged { .. }) {
            return Ok(());
        }
        let notice = ClusterMessage { from: self.node, organization: row.organization, fact: row.fact.clone() };
        if let Err(fault) = self.bulletin.tell(&notice).await {
            // Those who listen have lost their way too, and read anew when it is back.
            tracing::debug!(%fault, organization = %row.organization, "the other nodes were not told of a fact");
        }
        Ok(())
    }
}
