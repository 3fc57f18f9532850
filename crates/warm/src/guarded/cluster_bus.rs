//! Wraps the cluster bus in a guard.
//!
//! Never: reports health. Messages are hints without influence on decisions, so all capabilities stay while the bus fails.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::error::StoreResult;
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage, ClusterMessages};
use voelgoed_resilience::Guard;

use super::call_store;
use super::limits::CLUSTER_BUS_LIMIT;

/// A cluster bus behind its guard.
pub struct GuardedClusterBus {
    inner: Arc<dyn ClusterBus>,
    guard: Guard,
}

impl GuardedClusterBus {
    /// Wraps `inner`; `seed` as in [`super::GuardedWarm::new`].
    #[must_use]
    pub fn new(inner: Arc<dyn ClusterBus>, seed: u64) -> Self {
        Self { inner, guard: Guard::new(CLUSTER_BUS_LIMIT, seed) }
    }
}

#[async_trait]
impl ClusterBus for GuardedClusterBus {
    async fn publish(&self, message: &ClusterMessage) -> StoreResult<()> {
        call_store(&self.guard, || self.inner.publish(message)).await
    }

    async fn subscribe(&self) -> StoreResult<ClusterMessages> {
        call_store(&self.guard, || self.inner.subscribe()).await
    }
}
