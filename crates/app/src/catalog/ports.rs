//! Declares the store of venues, layouts, events, ticket types and price rules.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::catalog::event::{Event, EventChange, EventState};
use voelgoed_domain::catalog::layout::Layout;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::price_rule::PriceRule;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId, TicketTypeId, VenueId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::idempotency::{Created, IdempotencyRecord};
use crate::page::{Page, PageRequest};

/// A place where events are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venue {
    /// Its identifier.
    pub id: VenueId,
    /// The displayed name.
    pub name: String,
    /// The postal address.
    pub address: String,
}

/// A stored version of a seating plan.
#[derive(Debug, Clone)]
pub struct StoredLayout {
    /// Its identifier.
    pub id: LayoutId,
    /// The venue.
    pub venue: VenueId,
    /// The version, from 1 within the venue.
    pub version: u32,
    /// The plan.
    pub layout: Arc<Layout>,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// An event in a list.
#[derive(Debug, Clone)]
pub struct EventSummary {
    /// The event.
    pub event: Event,
    /// Its venue's name.
    pub venue: String,
}

/// A page of the programme: published events of all organizations by their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProgrammeRequest {
    /// False: events that are not past (`Event::past_from`), earliest start first, so that running events are at the top. True: past events, latest first.
    pub past: bool,
    /// The current time.
    pub now: Timestamp,
    /// Start and identifier of the last event of the page before; none for the first page.
    pub after: Option<(Timestamp, EventId)>,
    /// 1 to [`crate::page::PAGE_ITEMS_MAX`] events.
    pub limit: u32,
}

/// Venues, layouts, events, ticket types and price rules in the cold tier. Every change of a listing writes `ListingChanged` to the outbox.
#[async_trait]
pub trait CatalogStore: Send + Sync + 'static {
    /// Writes a venue.
    async fn create_venue(
        &self,
        organization: OrganizationId,
        venue: Venue,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// The venues.
    async fn venues(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<Venue>>;

    /// Writes the next version of a venue's layout and returns the version. A `layout.version` that is not 0 must be that version. Refused: `not_found`
    /// (venue), `try_again` (a concurrent layout took the version).
    async fn create_layout(
        &self,
        organization: OrganizationId,
        layout: StoredLayout,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<u32>, Refusal>>;
    /// The newest version of a venue's layouts; 0 if there is none.
    async fn newest_layout(&self, organization: OrganizationId, venue: VenueId) -> StoreResult<u32>;
    /// One layout.
    async fn read_layout(&self, organization: OrganizationId, layout: LayoutId) -> StoreResult<Option<StoredLayout>>;
    /// Replaces a layout by one with other flags whose `flags_version` is one higher, and returns the events with this layout. None if the stored
    /// `flags_version` is not the preceding one.
    async fn set_layout_flags(
        &self,
        organization: OrganizationId,
        layout: LayoutId,
        changed: &Layout,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<EventId>>>;
    /// The layouts, without the areas of their plans.
    async fn layouts(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<StoredLayout>>;

    /// Writes an event. Refused: `not_found` (layout).
    async fn create_event(
        &self,
        organization: OrganizationId,
        event: Event,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// Changes an event; the admission windows of its ticket types move with its start. Refused: `not_found`, `invalid_request`.
    async fn change_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        change: EventChange,
        now: Timestamp,
    ) -> StoreResult<Result<Event, Refusal>>;
    /// Moves an event from one of `from` to `to`. Refused: `wrong_state`, `not_found`.
    async fn transition_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: &[EventState],
        to: EventState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;
    /// Deletes a draft with all its rows. Refused: `wrong_state` (it was published), `not_found`.
    async fn delete_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;
    /// Writes a ticket type.
    async fn create_ticket_type(
        &self,
        organization: OrganizationId,
        ticket_type: TicketType,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// Takes a ticket type off sale; false if there is none.
    async fn retire_ticket_type(
        &self,
        organization: OrganizationId,
        ticket_type: TicketTypeId,
        now: Timestamp,
    ) -> StoreResult<bool>;
    /// Writes a price rule. Refused: `already_exists` (code).
    async fn create_price_rule(
        &self,
        organization: OrganizationId,
        rule: PriceRule,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// Everything about an event that a sale needs, in any state.
    async fn read_listing(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Listing>>;
    /// The organization of an event (system role: the id determines the organization); none for an unknown id.
    async fn organization_of(&self, event: EventId) -> StoreResult<Option<OrganizationId>>;
    /// The events of an organization, or of all organizations if none is given and `published_only`.
    async fn events(
        &self,
        organization: Option<OrganizationId>,
        published_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<EventSummary>>;
    /// The published events of all organizations by their start (system role). The next page starts after the last item.
    async fn programme(&self, request: ProgrammeRequest) -> StoreResult<Page<EventSummary>>;
    /// The venue of an event.
    async fn venue_of(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Venue>>;
}
