//! Invalidates this node's cached listing of an event that changed.

use std::sync::Arc;

use async_trait::async_trait;

use super::listings::Listings;
use crate::outbox::consumer::{ConsumeError, OutboxConsumer};
use crate::outbox::event::{OutboxEvent, OutboxRow};

/// Consumes changes of listings.
pub struct ListingInvalidation(pub Arc<dyn Listings>);

#[async_trait]
impl OutboxConsumer for ListingInvalidation {
    fn name(&self) -> &'static str {
        "listings"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        if let OutboxEvent::ListingChanged { event } = &row.outbox_event {
            self.0.revalidate(row.organization, *event);
        }
        Ok(())
    }
}
