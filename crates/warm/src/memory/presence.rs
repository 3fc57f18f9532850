//! Implements the presence port in memory; there is one node, but the port is the same.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::ticketing::ports::EventScope;

use super::MemoryInventory;

#[async_trait]
impl Presence for MemoryInventory {
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, lasts: Duration) -> StoreResult<u64> {
        let now = self.environment.now();
        let mut counts = self.viewers.entry(scope).or_default();
        counts.retain(|_, (_, until)| *until > now);
        counts.remove(&node);
        if viewers > 0 {
            counts.insert(node, (viewers, now.plus(lasts)));
        }
        Ok(counts.values().map(|(viewers, _)| u64::from(*viewers)).sum())
    }
}
