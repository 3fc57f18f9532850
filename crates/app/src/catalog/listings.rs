//! Listings as this node caches them: everything about an event that a sale needs, read without the cold tier (P11).

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::time::Timestamp;

use crate::catalog::ports::Venue;
use crate::error::Result;
use crate::ticketing::ports::EventScope;

/// The node's cache of listings.
#[async_trait]
pub trait Listings: Send + Sync + 'static {
    /// Whose event this is.
    ///
    /// # Errors
    /// `not_found`.
    async fn locate(&self, event: EventId) -> Result<EventScope>;

    /// The listing.
    ///
    /// # Errors
    /// `not_found`.
    async fn listing(&self, scope: EventScope) -> Result<Arc<Listing>>;

    /// The event's seats, indexed for choosing.
    ///
    /// # Errors
    /// `not_found`.
    async fn seating(&self, scope: EventScope) -> Result<Arc<SeatingPlans>>;

    /// Where the event is.
    ///
    /// # Errors
    /// `not_found`.
    async fn venue(&self, scope: EventScope) -> Result<Arc<Venue>>;

    /// When the listing that is served was read from the catalog, where it is known.
    fn read_at(&self, scope: EventScope) -> Option<Timestamp>;

    /// An event's listing has changed: it is read anew before it is served, and serves with its age while it cannot be read.
    fn changed(&self, organization: OrganizationId, event: EventId);

    /// Some listings may have changed unheard: as [`Self::changed`], for all events.
    fn revalidate_all(&self);
}
