//! Caches listings on this node: everything about an event that a sale needs, read without the cold tier (P11).

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::time::Timestamp;

use crate::catalog::ports::Venue;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;

/// The node's cache of listings.
#[async_trait]
pub trait Listings: Send + Sync + 'static {
    /// The scope of an event, by its identifier alone.
    ///
    /// # Errors
    /// `not_found`.
    async fn locate(&self, event: EventId) -> CommandResult<EventScope>;

    /// The event's listing.
    ///
    /// # Errors
    /// `not_found`.
    async fn listing(&self, scope: EventScope) -> CommandResult<Arc<Listing>>;

    /// The event's seating plans, indexed for the choice of best available seats.
    ///
    /// # Errors
    /// `not_found`.
    async fn seating(&self, scope: EventScope) -> CommandResult<Arc<SeatingPlans>>;

    /// The event's venue.
    ///
    /// # Errors
    /// `not_found`.
    async fn venue(&self, scope: EventScope) -> CommandResult<Arc<Venue>>;

    /// The time at which the cached listing was read from cold, if it is cached.
    fn read_at(&self, scope: EventScope) -> Option<Timestamp>;

    /// Marks a listing as changed: it is read again at its next use; the cached one serves, with its age, while cold is unavailable.
    fn revalidate(&self, organization: OrganizationId, event: EventId);

    /// [`Self::revalidate`] for all events, after invalidations may have been lost.
    fn revalidate_all(&self);
}
