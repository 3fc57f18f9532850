//! Builds the catalog from its ports and declares what it runs beside requests: the invalidation of cached listings.

use std::sync::Arc;

use super::Catalog;
use super::listing_invalidation::ListingInvalidation;
use super::ports::CatalogStore;
use crate::adapters::Adapters;
use crate::outbox::consumer::OutboxConsumer;
use crate::slice::Slice;

impl Catalog {
    /// The slice's name.
    pub const NAME: &'static str = "catalog";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: CatalogStore, W>(adapters: &Adapters<C, W>) -> Self {
        let node = &adapters.node;
        Self { context: node.context.clone(), store: adapters.cold.clone(), listings: Arc::clone(&node.listings) }
    }
}

impl Slice for Catalog {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn node_consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        vec![Arc::new(ListingInvalidation(Arc::clone(&self.listings)))]
    }

    fn resync(&self) {
        self.listings.revalidate_all();
    }
}
