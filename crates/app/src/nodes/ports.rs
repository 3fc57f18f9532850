//! Declares the list of nodes in the cold tier and the counts of viewers in the warm tier.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::ticketing::ports::EventScope;

/// A running process of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberNode {
    /// New at each start, so that a restart at the same address is another node.
    pub id: Uuid,
    /// `all`, `web` or `worker`.
    pub role: String,
    /// The address of its HTTP server.
    pub address: String,
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
}

/// The list of nodes (system role).
#[async_trait]
pub trait NodeStore: Send + Sync + 'static {
    /// Renews a node's lease to `until`, and deletes nodes whose lease ended before `forget_before`.
    async fn heartbeat(&self, node: &MemberNode, until: Timestamp, forget_before: Timestamp) -> StoreResult<()>;

    /// The nodes whose lease has not ended at `now`, longest-lived first.
    async fn live_nodes(&self, now: Timestamp) -> StoreResult<Vec<MemberNode>>;

    /// Deletes a node that shuts down.
    async fn leave(&self, id: Uuid) -> StoreResult<()>;
}

/// Viewers per event and node in the warm tier; counts that are lost with it are reported again.
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// Sets the viewers of an event on `node` for `ttl` by the store's clock; returns the sum over all nodes whose reports have not expired. The event
    /// need not be loaded.
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, ttl: Duration) -> StoreResult<u64>;
}
