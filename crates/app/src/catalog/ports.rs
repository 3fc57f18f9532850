//! What the catalog needs of the cold tier.

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

/// A building or a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venue {
    /// Its identifier.
    pub id: VenueId,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub address: String,
}

/// A stored version of a seating plan.
#[derive(Debug, Clone)]
pub struct StoredLayout {
    /// Its identifier.
    pub id: LayoutId,
    /// Whose plan.
    pub venue: VenueId,
    /// 1, 2, … within the venue.
    pub version: u32,
    /// The plan.
    pub layout: Arc<Layout>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An event as lists show it.
#[derive(Debug, Clone)]
pub struct EventSummary {
    /// The event.
    pub event: Event,
    /// Its venue's name.
    pub venue: String,
}

/// A part of the programme that the front page shows: published events by their beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProgrammeRequest {
    /// False: events that are not past (`Event::past_from`), by their start, so that those that run come first. True: the others, the latest first.
    pub past: bool,
    /// The present moment.
    pub now: Timestamp,
    /// Beginning and identifier of the last event of the part before; from the start where absent.
    pub after: Option<(Timestamp, EventId)>,
    /// How many, 1 to [`crate::page::MOST_ITEMS`].
    pub most: u32,
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

    /// Writes the next version of a venue's layout; the version is returned. Where `layout.version` is given (not 0), it must be
    /// that one. Refused: `not_found` (venue), `try_again` (another layout came first).
    async fn create_layout(
        &self,
        organization: OrganizationId,
        layout: StoredLayout,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<u32>, Refusal>>;
    /// The newest version of a venue's layouts; 0 where it has none.
    async fn newest_layout(&self, organization: OrganizationId, venue: VenueId) -> StoreResult<u32>;
    /// One layout.
    async fn read_layout(&self, organization: OrganizationId, layout: LayoutId) -> StoreResult<Option<StoredLayout>>;
    /// Replaces a layout by one that differs in flags only and whose `flags_version` is one more, and returns the events that pin it. None where the stored
    /// `flags_version` is another than the one before.
    async fn set_layout_flags(
        &self,
        organization: OrganizationId,
        layout: LayoutId,
        changed: &Layout,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<EventId>>>;
    /// The layouts, without their plans' areas.
    async fn layouts(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<StoredLayout>>;

    /// Writes an event. Refused: `not_found` (layout).
    async fn create_event(
        &self,
        organization: OrganizationId,
        event: Event,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// Changes an event; the admission times of its ticket types move with its start. Refused: `not_found`, `invalid_request`.
    async fn change_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        change: EventChange,
        now: Timestamp,
    ) -> StoreResult<Result<Event, Refusal>>;
    /// Moves an event from one of `from` to `to`. Refused: `wrong_state`, `not_found`.
    async fn move_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: &[EventState],
        to: EventState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;
    /// Deletes a draft with everything of it. Refused: `wrong_state` (it was published), `not_found`.
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
    /// Takes a ticket type off sale; false where there is none.
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

    /// Everything about an event that a sale needs, in any state of it.
    async fn read_listing(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Listing>>;
    /// Whose event this is (system role: the id names the tenant); none for drafts' ids that do not exist.
    async fn organization_of(&self, event: EventId) -> StoreResult<Option<OrganizationId>>;
    /// The events of an organization, or of all where none is given and `published_only`.
    async fn events(
        &self,
        organization: Option<OrganizationId>,
        published_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<EventSummary>>;
    /// The published events of all organizations by their beginning (system role). The next part starts after the last item.
    async fn programme(&self, request: ProgrammeRequest) -> StoreResult<Page<EventSummary>>;
    /// Venue name and address of an event.
    async fn venue_of(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Venue>>;
}
