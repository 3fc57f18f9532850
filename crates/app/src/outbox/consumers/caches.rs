//! Makes this node's caches read anew what changed, and refuse what was revoked.

use std::sync::Arc;

use async_trait::async_trait;

use crate::accounts::credentials::Credentials;
use crate::catalog::listings::Listings;
use crate::outbox::consumer::{OutboxConsumer, ReadError};
use crate::outbox::event::{OutboxEvent, OutboxRow};

/// The reader.
pub struct Caches {
    /// What is on sale.
    pub listings: Arc<dyn Listings>,
    /// Who calls.
    pub credentials: Arc<dyn Credentials>,
}

#[async_trait]
impl OutboxConsumer for Caches {
    fn name(&self) -> &'static str {
        "caches"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        match &row.fact {
            OutboxEvent::ListingChanged { event } => self.listings.changed(row.organization, *event),
            OutboxEvent::CredentialRevoked { revoked } => self.credentials.revoked(row.organization, revoked),
            OutboxEvent::PlacesChanged { .. }
            | OutboxEvent::OrderChanged { .. }
            | OutboxEvent::TicketAdmitted { .. }
            | OutboxEvent::TicketsRevoked { .. } => {}
        }
        Ok(())
    }
}
