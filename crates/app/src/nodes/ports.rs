//! What membership needs of the cold tier, and presence of the warm one.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::ticketing::ports::EventScope;

/// A process of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// New at each start, so that a successor at the same address is another node.
    pub id: Uuid,
    /// `all`, `web` or `worker`.
    pub role: String,
    /// Where it answers HTTP.
    pub address: String,
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
}

/// The list of nodes (system role).
#[async_trait]
pub trait NodeStore: Send + Sync + 'static {
    /// Says that a node lives until `until`, and forgets those whose lease ended before `forget_before`.
    async fn announce(&self, node: &Node, until: Timestamp, forget_before: Timestamp) -> StoreResult<()>;

    /// The nodes whose lease is not over at `now`, the longest-lived first.
    async fn living(&self, now: Timestamp) -> StoreResult<Vec<Node>>;

    /// A node is gone in order.
    async fn leave(&self, id: Uuid) -> StoreResult<()>;
}

/// Viewers per event and node, in the warm tier: counts that are lost with it and told again.
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// Says that `node` has so many viewers of an event for `lasts` by the store's clock; returns those of all nodes whose time is not over.
    /// The event needs not be loaded.
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, lasts: Duration) -> StoreResult<u64>;
}
