//! Builds checkout from its ports and declares what it runs beside requests: the notification of order watchers.

use std::sync::Arc;

use super::Checkout;
use super::order_notifications::OrderNotifications;
use super::order_watch::OrderWatch;
use super::ports::OrderStore;
use crate::adapters::Adapters;
use crate::idempotency::IdempotencyStore;
use crate::outbox::consumer::OutboxConsumer;
use crate::payments::Payments;
use crate::replays::Replays;
use crate::slice::Slice;
use crate::ticketing::Ticketing;

impl Checkout {
    /// The slice's name.
    pub const NAME: &'static str = "checkout";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: OrderStore + IdempotencyStore, W>(
        adapters: &Adapters<C, W>,
        ticketing: &Arc<Ticketing>,
        payments: &Arc<Payments>,
    ) -> Self {
        let node = &adapters.node;
        Self {
            context: node.context.clone(),
            orders: adapters.cold.clone(),
            holds: ticketing.clone(),
            payments: payments.clone(),
            listings: Arc::clone(&node.listings),
            views: Arc::clone(&node.order_views),
            watch: OrderWatch::default(),
            placed_keys: Arc::default(),
            replays: Replays { context: node.context.clone(), store: adapters.cold.clone() },
            places_per_address: node.places_per_address,
        }
    }
}

impl Slice for Checkout {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn node_consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        vec![Arc::new(OrderNotifications { views: Arc::clone(&self.views), watch: self.watch.clone() })]
    }

    fn resync(&self) {
        self.views.invalidate_all();
        self.watch.resync();
    }
}
