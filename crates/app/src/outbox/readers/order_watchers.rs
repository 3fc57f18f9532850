//! Drops this node's view of an order that changed, then tells its watchers, who read it anew.

use std::sync::Arc;

use async_trait::async_trait;

use crate::checkout::view_order::OrderViews;
use crate::checkout::watch::OrderWatch;
use crate::outbox::fact::{Fact, OutboxRow};
use crate::outbox::reader::{FactReader, ReadError};

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
impl FactReader for OrderWatchers {
    fn name(&self) -> &'static str {
        "order_watchers"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        if let Fact::OrderChanged { order, .. } = row.fact
            && row.version != MADE
        {
            self.views.forget(row.organization, order);
            self.watch.changed(row.organization, order);
        }
        Ok(())
    }
}
