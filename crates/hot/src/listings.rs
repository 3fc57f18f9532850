//! Caches listings, venues and the organization of each event, so that a sale reads them without the cold tier (P11).
//!
//! Never: availability. A change through this node is visible at once, a change through another node after its invalidation message and at the latest
//! after [`FRESH_FOR`]. While the catalog cannot be read, the cached listing is served with its age.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::catalog::ports::{CatalogStore, Venue};
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{CommandError, CommandResult, Fault};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::time::Timestamp;

use crate::cache::{Cache, CacheLimits};

/// How long a listing is served without a refresh.
pub const FRESH_FOR: Duration = Duration::from_secs(15);
/// A listing older than this could not be refreshed and is shown as stale.
pub const STALE_AFTER: Duration = Duration::from_secs(20);
/// How long a listing is served while the cold tier is unavailable.
pub const USABLE_FOR: Duration = Duration::from_secs(600);
/// Listings in the cache; the plan of a stadium takes a few megabytes.
const LISTINGS_MAX: usize = 256;
/// Events whose organization is cached; the organization never changes.
const OWNERS_MAX: usize = 100_000;
/// How long immutable data is cached.
const IMMUTABLE_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A cache in front of [`CatalogStore`].
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
        let listings =
            CacheLimits { name: "listings", entries_max: LISTINGS_MAX, fresh_for: FRESH_FOR, usable_for: USABLE_FOR };
        let owners = CacheLimits {
            name: "owners",
            entries_max: OWNERS_MAX,
            fresh_for: IMMUTABLE_FOR,
            usable_for: IMMUTABLE_FOR,
        };
        let seating = CacheLimits {
            name: "seating",
            entries_max: LISTINGS_MAX,
            fresh_for: IMMUTABLE_FOR,
            usable_for: IMMUTABLE_FOR,
        };
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
    async fn locate(&self, event: EventId) -> CommandResult<EventScope> {
        // Absence is an error here, so it is never cached: the event may be created in the next moment.
        let read = async {
            let owner = self.catalog.organization_of(event).await?;
            owner.ok_or_else(|| CommandError::Refused(Refusal::not_found()))
        };
        let organization = self.owners.get(&event, read).await?;
        Ok(EventScope { organization, event })
    }

    async fn listing(&self, scope: EventScope) -> CommandResult<Arc<Listing>> {
        let read = async {
            let listing = self.catalog.read_listing(scope.organization, scope.event).await?;
            Ok::<_, Fault>(listing.map(Arc::new))
        };
        let listing = self.listings.get(&scope, read).await?;
        listing.ok_or_else(|| Refusal::not_found().into())
    }

    async fn seating(&self, scope: EventScope) -> CommandResult<Arc<SeatingPlans>> {
        let listing = self.listing(scope).await?;
        // Only the flags of a layout change, so its plans are computed once per version of the flags.
        let compute = async { Ok(Arc::new(SeatingPlans::of(&listing.layout))) };
        let key = (scope.organization, listing.event.layout, listing.layout.flags_version);
        self.seating.get(&key, compute).await
    }

    async fn venue(&self, scope: EventScope) -> CommandResult<Arc<Venue>> {
        let read = async {
            let venue = self.catalog.venue_of(scope.organization, scope.event).await?;
            venue.map(Arc::new).ok_or_else(|| CommandError::Refused(Refusal::not_found()))
        };
        self.venues.get(&scope, read).await
    }

    fn read_at(&self, scope: EventScope) -> Option<Timestamp> {
        self.listings.read_at(&scope)
    }

    fn revalidate(&self, organization: OrganizationId, event: EventId) {
        let changed = EventScope { organization, event };
        self.listings.invalidate(|scope, _| *scope == changed);
        self.venues.invalidate(|scope, _| *scope == changed);
    }

    fn revalidate_all(&self) {
        self.listings.invalidate(|_, _| true);
        self.venues.invalidate(|_, _| true);
    }
}
