//! Drops this node's view of an order that changed, then tells its watchers, who read it anew.

use std::sync::Arc;

use async_trait::async_trait;

use crate::checkout::view_order::OrderViews;
use crate::checkout::watch::OrderWatch;
use crate::outbox::consumer::{OutboxConsumer, ReadError};
use crate::outbox::event::{OutboxEvent, OutboxRow};

/// What made an order: whoever has seen the order knows of it.
const MADE: u32 = 1;

/// The reader.
pub struct OrderWatchers {
    /// What buyers are shown.
    pub views: Arc<dyn OrderViews>,
    /// Who waits for a change.
    pub watch: OrderWatch,
}

#[async_trait]
impl OutboxConsumer for OrderWatchers {
    fn name(&self) -> &'static str {
        "order_watchers"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        if let OutboxEvent::OrderChanged { order, .. } = row.fact
            && row.version != MADE
        {
            self.views.forget(row.organization, order);
            self.watch.changed(row.organization, order);
        }
        Ok(())
    }
}
