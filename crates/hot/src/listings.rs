//! Listings and whose event is whose, as this node caches them: a sale reads them without the cold tier (P11).
//!
//! Never: availability. A change made through this node is seen at once, one made elsewhere as soon as the outbox tells of it, at the latest within
//! [`FRESH`]; while the catalog cannot be read, what was known before serves with its age.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::catalog::ports::{CatalogStore, Venue};
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Error, Fault, Result};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::time::Timestamp;

use crate::cache::{Cache, CacheLimits};

/// A listing counts as new for so long.
pub const FRESH: Duration = Duration::from_secs(15);
/// One that was read longer ago than this was not to be had anew.
pub const STALE_AFTER: Duration = Duration::from_secs(20);
/// While the cold tier is away a listing serves for so long.
pub const USABLE: Duration = Duration::from_secs(600);
/// The most listings kept; the plan of a stadium is a few megabytes.
const LISTINGS: usize = 256;
/// The most events whose organization is kept; it never changes.
const OWNERS: usize = 100_000;
/// What never changes is not asked again for so long.
const FOR_GOOD: Duration = Duration::from_secs(24 * 60 * 60);

/// Listings out of the catalog, cached.
pub struct CachedListings {
    catalog: Arc<dyn CatalogStore>,
    listings: Cache<EventScope, Option<Arc<Listing>>>,
    owners: Cache<EventId, OrganizationId>,
    seating: Cache<(OrganizationId, LayoutId, u32), Arc<SeatingPlans>>,
    venues: Cache<EventScope, Arc<Venue>>,
}

impl CachedListings {
    /// An empty cache in front of `catalog`.
    #[must_use]
    pub fn new(catalog: Arc<dyn CatalogStore>, environment: &Arc<dyn Environment>) -> Self {
        let listings = CacheLimits { name: "listings", entries: LISTINGS, fresh: FRESH, usable: USABLE };
        let owners = CacheLimits { name: "owners", entries: OWNERS, fresh: FOR_GOOD, usable: FOR_GOOD };
        let seating = CacheLimits { name: "seating", entries: LISTINGS, fresh: FOR_GOOD, usable: FOR_GOOD };
        Self {
            catalog,
            listings: Cache::new(Arc::clone(environment), listings),
            owners: Cache::new(Arc::clone(environment), owners),
            seating: Cache::new(Arc::clone(environment), seating),
            venues: Cache::new(Arc::clone(environment), CacheLimits { name: "venues", ..listings }),
        }
    }
}

#[async_trait]
impl Listings for CachedListings {
    async fn locate(&self, event: EventId) -> Result<EventScope> {
        // Absence is an error here, so it is never kept: the event may be made in the next moment.
        let read = async {
            let owner = self.catalog.organization_of(event).await?;
            owner.ok_or_else(|| Error::Refused(Refusal::not_found()))
        };
        let organization = self.owners.get(&event, read).await?;
        Ok(EventScope { organization, event })
    }

    async fn listing(&self, scope: EventScope) -> Result<Arc<Listing>> {
        let read = async {
            let listing = self.catalog.read_listing(scope.organization, scope.event).await?;
            Ok::<_, Fault>(listing.map(Arc::new))
        };
        let listing = self.listings.get(&scope, read).await?;
        listing.ok_or_else(|| Refusal::not_found().into())
    }

    async fn seating(&self, scope: EventScope) -> Result<Arc<SeatingPlans>> {
        let listing = self.listing(scope).await?;
        // Of a layout the flags change only, so its plans are made once for each version of them.
        let made = async { Ok(Arc::new(SeatingPlans::of(&listing.layout))) };
        let key = (scope.organization, listing.event.layout, listing.layout.flags_version);
        self.seating.get(&key, made).await
    }

    async fn venue(&self, scope: EventScope) -> Result<Arc<Venue>> {
        let read = async {
            let venue = self.catalog.venue_of(scope.organization, scope.event).await?;
            venue.map(Arc::new).ok_or_else(|| Error::Refused(Refusal::not_found()))
        };
        self.venues.get(&scope, read).await
    }

    fn read_at(&self, scope: EventScope) -> Option<Timestamp> {
        self.listings.read_at(&scope)
    }

    fn changed(&self, organization: OrganizationId, event: EventId) {
        let changed = EventScope { organization, event };
        self.listings.suspect(|scope, _| *scope == changed);
        self.venues.suspect(|scope, _| *scope == changed);
    }

    fn revalidate_all(&self) {
        self.listings.suspect(|_, _| true);
        self.venues.suspect(|_, _| true);
    }
}
