//! Makes this node's caches read anew what changed, and refuse what was revoked.

use std::sync::Arc;

use async_trait::async_trait;

use crate::accounts::credentials::Credentials;
use crate::catalog::listings::Listings;
use crate::outbox::fact::{Fact, OutboxRow};
use crate::outbox::reader::{FactReader, ReadError};

/// The reader.
pub struct Caches {
    /// What is on sale.
    pub listings: Arc<dyn Listings>,
    /// Who calls.
    pub credentials: Arc<dyn Credentials>,
}

#[async_trait]
impl FactReader for Caches {
    fn name(&self) -> &'static str {
        "caches"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        match &row.fact {
            Fact::ListingChanged { event } => self.listings.changed(row.organization, *event),
            Fact::CredentialRevoked { revoked } => self.credentials.revoked(row.organization, revoked),
            Fact::PlacesChanged { .. }
            | Fact::OrderChanged { .. }
            | Fact::TicketAdmitted { .. }
            | Fact::TicketsRevoked { .. } => {}
        }
        Ok(())
    }
}
