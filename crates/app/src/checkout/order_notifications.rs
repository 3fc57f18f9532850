//! Drops this node's cached view of an order that changed, then wakes its watchers, who read it again.

use std::sync::Arc;

use async_trait::async_trait;

use crate::checkout::order_watch::OrderWatch;
use crate::checkout::view_order::OrderViews;
use crate::outbox::consumer::{ConsumeError, OutboxConsumer};
use crate::outbox::event::{OutboxEvent, OutboxRow};

/// The version of a new order; its watchers have it from the response already.
const CREATED_VERSION: u32 = 1;

/// Consumes changes of orders.
pub struct OrderNotifications {
    /// Cached views of orders.
    pub views: Arc<dyn OrderViews>,
    /// The watchers of orders.
    pub watch: OrderWatch,
}

#[async_trait]
impl OutboxConsumer for OrderNotifications {
    fn name(&self) -> &'static str {
        "order_watchers"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        if let OutboxEvent::OrderChanged { order, .. } = row.outbox_event
            && row.version != CREATED_VERSION
        {
            self.views.invalidate(row.organization, order);
            self.watch.changed(row.organization, order);
        }
        Ok(())
    }
}
