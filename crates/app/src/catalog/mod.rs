//! Catalog: organizers create and change venues, layouts, events, ticket types and price rules.

pub mod change_event;
pub mod create_event;
pub mod create_layout;
pub mod create_price_rule;
pub mod create_ticket_type;
pub mod create_venue;
pub mod delete_event;
pub mod listing_invalidation;
pub mod listings;
pub mod ports;
pub mod set_layout_flags;
pub mod slice;
pub mod transition_event;

use std::sync::Arc;

use listings::Listings;
use ports::CatalogStore;

use crate::context::Context;

/// Creates and changes venues, layouts, events, ticket types and price rules.
#[derive(Clone)]
pub struct Catalog {
    /// The context that all slices share.
    pub context: Context,
    /// The catalog in the cold tier.
    pub store: Arc<dyn CatalogStore>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
}
