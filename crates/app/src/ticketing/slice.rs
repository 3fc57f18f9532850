//! Builds ticketing from its ports and declares what it runs beside requests: the effects of cold in warm, and the loop that frees expired holds.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::Ticketing;
use super::free_expired_holds::free_all_expired_holds;
use super::ports::{InventoryStore, PlaceStore};
use super::warm_effects::WarmEffects;
use crate::adapters::Adapters;
use crate::analytics::Analytics;
use crate::checkout::code_uses::CodeUseCounts;
use crate::checkout::ports::OrderStore;
use crate::loops::{Loop, LoopNodes};
use crate::outbox::consumer::OutboxConsumer;
use crate::slice::Slice;

/// The time between two rounds that free expired holds.
const FREE_INTERVAL: Duration = Duration::from_secs(1);

impl Ticketing {
    /// The slice's name.
    pub const NAME: &'static str = "ticketing";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: PlaceStore + OrderStore, W: InventoryStore>(
        adapters: &Adapters<C, W>,
        analytics: &Arc<Analytics>,
    ) -> Self {
        let node = &adapters.node;
        Self {
            context: node.context.clone(),
            inventory: adapters.warm.clone(),
            loader: Arc::clone(&node.loader),
            places: adapters.cold.clone(),
            seat_view: Arc::clone(&node.seat_view),
            listings: Arc::clone(&node.listings),
            counts: analytics.clone(),
            code_uses: Arc::new(CodeUseCounts { orders: adapters.cold.clone() }),
            places_per_address: node.places_per_address,
        }
    }

    /// Frees the places of expired holds.
    async fn free_expired_holds(&self) {
        match free_all_expired_holds(&*self.inventory).await {
            Ok(expired) => holds_ended(HoldEnd::Expired, expired as u64),
            Err(fault) => tracing::warn!(%fault, slice = "ticketing", "expired holds were not freed"),
        }
    }
}

impl Slice for Ticketing {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        vec![Arc::new(WarmEffects { inventory: Arc::clone(&self.inventory), loader: Arc::clone(&self.loader) })]
    }

    fn loops(self: Arc<Self>) -> Vec<Loop> {
        vec![Loop::every(FREE_INTERVAL, LoopNodes::Workers, move |_| {
            let ticketing = Arc::clone(&self);
            async move { ticketing.free_expired_holds().await }
        })]
    }
}
