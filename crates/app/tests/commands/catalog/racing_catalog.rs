//! Wraps a catalog store so that a concurrent request wins the race for a layout a given number of times.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use voelgoed_app::catalog::ports::{CatalogStore, EventSummary, ProgrammeRequest, StoredLayout, Venue};
use voelgoed_app::error::StoreResult;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::catalog::event::{Event, EventChange, EventState};
use voelgoed_domain::catalog::layout::Layout;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::price_rule::PriceRule;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId, TicketTypeId, VenueId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

/// A catalog whose next writes of layouts are lost to others.
pub struct RacingCatalog {
    inner: Arc<dyn CatalogStore>,
    lost: AtomicUsize,
    writes: AtomicUsize,
}

impl RacingCatalog {
    pub fn new(inner: Arc<dyn CatalogStore>, lost: usize) -> Arc<Self> {
        Arc::new(Self { inner, lost: AtomicUsize::new(lost), writes: AtomicUsize::new(0) })
    }

    /// How many writes of layouts were tried.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn is_lost(&self) -> bool {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |lost| lost.checked_sub(1)).is_ok()
    }
}

#[async_trait]
impl CatalogStore for RacingCatalog {
    async fn create_venue(
        &self,
        organization: OrganizationId,
        venue: Venue,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.inner.create_venue(organization, venue, idempotency).await
    }

    async fn venues(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<Venue>> {
        self.inner.venues(organization, page).await
    }

    async fn create_layout(
        &self,
        organization: OrganizationId,
        layout: StoredLayout,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<u32>, Refusal>> {
        if self.is_lost() {
            return Ok(Err(Refusal::try_again(1, "Another layout came first.")));
        }
        self.inner.create_layout(organization, layout, idempotency).await
    }

    async fn newest_layout(&self, organization: OrganizationId, venue: VenueId) -> StoreResult<u32> {
        self.inner.newest_layout(organization, venue).await
    }

    async fn read_layout(&self, organization: OrganizationId, layout: LayoutId) -> StoreResult<Option<StoredLayout>> {
        self.inner.read_layout(organization, layout).await
    }

    async fn set_layout_flags(
        &self,
        organization: OrganizationId,
        layout: LayoutId,
        changed: &Layout,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<EventId>>> {
        if self.is_lost() {
            return Ok(None);
        }
        self.inner.set_layout_flags(organization, layout, changed, now).await
    }

    async fn layouts(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<StoredLayout>> {
        self.inner.layouts(organization, page).await
    }

    async fn create_event(
        &self,
        organization: OrganizationId,
        event: Event,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.inner.create_event(organization, event, now, idempotency).await
    }

    async fn change_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        change: EventChange,
        now: Timestamp,
    ) -> StoreResult<Result<Event, Refusal>> {
        self.inner.change_event(organization, event, change, now).await
    }

    async fn transition_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: &[EventState],
        to: EventState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        self.inner.transition_event(organization, event, from, to, now).await
    }

    async fn delete_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        self.inner.delete_event(organization, event, now).await
    }

    async fn create_ticket_type(
        &self,
        organization: OrganizationId,
        ticket_type: TicketType,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.inner.create_ticket_type(organization, ticket_type, now, idempotency).await
    }

    async fn retire_ticket_type(
        &self,
        organization: OrganizationId,
        ticket_type: TicketTypeId,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.inner.retire_ticket_type(organization, ticket_type, now).await
    }

    async fn create_price_rule(
        &self,
        organization: OrganizationId,
        rule: PriceRule,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.inner.create_price_rule(organization, rule, now, idempotency).await
    }

    async fn read_listing(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Listing>> {
        self.inner.read_listing(organization, event).await
    }

    async fn organization_of(&self, event: EventId) -> StoreResult<Option<OrganizationId>> {
        self.inner.organization_of(event).await
    }

    async fn events(
        &self,
        organization: Option<OrganizationId>,
        published_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<EventSummary>> {
        self.inner.events(organization, published_only, page).await
    }

    async fn programme(&self, request: ProgrammeRequest) -> StoreResult<Page<EventSummary>> {
        self.inner.programme(request).await
    }

    async fn venue_of(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Venue>> {
        self.inner.venue_of(organization, event).await
    }
}
