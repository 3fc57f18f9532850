//! Invalidates this node's cached listings and revokes its cached credentials.

use std::sync::Arc;

use async_trait::async_trait;

use crate::accounts::credentials::Credentials;
use crate::catalog::listings::Listings;
use crate::outbox::consumer::{ConsumeError, OutboxConsumer};
use crate::outbox::event::{OutboxEvent, OutboxRow};

/// Consumes changes of listings and revocations of credentials.
pub struct CacheInvalidation {
    /// Cached listings.
    pub listings: Arc<dyn Listings>,
    /// Cached credentials.
    pub credentials: Arc<dyn Credentials>,
}

#[async_trait]
impl OutboxConsumer for CacheInvalidation {
    fn name(&self) -> &'static str {
        "caches"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        match &row.outbox_event {
            OutboxEvent::ListingChanged { event } => self.listings.revalidate(row.organization, *event),
            OutboxEvent::CredentialRevoked { revoked } => self.credentials.revoke(row.organization, revoked),
            OutboxEvent::PlacesChanged { .. }
            | OutboxEvent::OrderChanged { .. }
            | OutboxEvent::TicketAdmitted { .. }
            | OutboxEvent::TicketsRevoked { .. } => {}
        }
        Ok(())
    }
}
