//! Tells the watchers of an order that it changed.

use async_trait::async_trait;

use crate::checkout::watch::OrderWatch;
use crate::outbox::fact::{Fact, OutboxRow};
use crate::outbox::reader::{FactReader, ReadError};

/// The reader.
pub struct OrderWatchers(pub OrderWatch);

#[async_trait]
impl FactReader for OrderWatchers {
    fn name(&self) -> &'static str {
        "order_watchers"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        if let Fact::OrderChanged { order, .. } = row.fact {
            self.0.changed(row.organization, order);
        }
        Ok(())
    }
}
