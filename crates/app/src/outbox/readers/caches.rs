//! Drops this node's cached listing of an event that changed; entries of other nodes end by their age.

use std::sync::Arc;

use async_trait::async_trait;

use crate::catalog::listings::Listings;
use crate::outbox::fact::{Fact, OutboxRow};
use crate::outbox::reader::{FactReader, ReadError};

/// The reader.
pub struct Caches(pub Arc<dyn Listings>);

#[async_trait]
impl FactReader for Caches {
    fn name(&self) -> &'static str {
        "caches"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        if let Fact::ListingChanged { event } = row.fact {
            self.0.changed(row.organization, event);
        }
        Ok(())
    }
}
