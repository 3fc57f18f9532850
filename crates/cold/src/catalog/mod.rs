//! Implements the catalog store: venues, versions of layouts, events, ticket types and price rules, read together as a listing.
//!
//! Never: a change of a listing without `ListingChanged` in the same commit (P8), a change of the places of a stored plan (P1).
//! To add an operation: its file, and its line in the port below.

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

use crate::Cold;

mod admission_times;
mod change_event;
mod create_event;
mod delete_event;
mod event_row;
mod events;
mod layout_plan;
mod layouts;
mod listing;
mod listing_change;
mod past_from;
mod price_rules;
mod ticket_types;
mod transition_event;
mod venues;

pub(crate) use event_row::currency;
pub(crate) use layout_plan::PlanCache;

#[async_trait]
impl CatalogStore for Cold {
    async fn create_venue(
        &self,
        organization: OrganizationId,
        venue: Venue,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(venues::create(&self.db, organization, &venue, idempotency.as_ref()).await?)
    }

    async fn venues(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<Venue>> {
        Ok(venues::list(&self.reports, organization, page).await?)
    }

    async fn create_layout(
        &self,
        organization: OrganizationId,
        layout: StoredLayout,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<u32>, Refusal>> {
        Ok(layouts::create(&self.db, organization, &layout, idempotency.as_ref()).await?)
    }

    async fn newest_layout(&self, organization: OrganizationId, venue: VenueId) -> StoreResult<u32> {
        Ok(layouts::newest(&self.db, organization, venue).await?)
    }

    async fn read_layout(&self, organization: OrganizationId, layout: LayoutId) -> StoreResult<Option<StoredLayout>> {
        Ok(layouts::read(self, organization, layout).await?)
    }

    async fn set_layout_flags(
        &self,
        organization: OrganizationId,
        layout: LayoutId,
        changed: &Layout,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<EventId>>> {
        Ok(layouts::set_flags(self, organization, layout, changed, now).await?)
    }

    async fn layouts(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<StoredLayout>> {
        Ok(layouts::list(&self.reports, organization, page).await?)
    }

    async fn create_event(
        &self,
        organization: OrganizationId,
        event: Event,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(create_event::create(self, organization, &event, now, idempotency.as_ref()).await?)
    }

    async fn change_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        change: EventChange,
        now: Timestamp,
    ) -> StoreResult<Result<Event, Refusal>> {
        Ok(change_event::change(self, organization, event, &change, now).await?)
    }

    async fn transition_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        from: &[EventState],
        to: EventState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        Ok(transition_event::transition_event(self, organization, event, from, to, now).await?)
    }

    async fn delete_event(
        &self,
        organization: OrganizationId,
        event: EventId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        Ok(delete_event::delete(self, organization, event, now).await?)
    }

    async fn create_ticket_type(
        &self,
        organization: OrganizationId,
        ticket_type: TicketType,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(ticket_types::create(self, organization, &ticket_type, now, idempotency.as_ref()).await?)
    }

    async fn retire_ticket_type(
        &self,
        organization: OrganizationId,
        ticket_type: TicketTypeId,
        now: Timestamp,
    ) -> StoreResult<bool> {
        Ok(ticket_types::retire(self, organization, ticket_type, now).await?)
    }

    async fn create_price_rule(
        &self,
        organization: OrganizationId,
        rule: PriceRule,
        now: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(price_rules::create(self, organization, &rule, now, idempotency.as_ref()).await?)
    }

    async fn read_listing(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Listing>> {
        Ok(listing::read(self, organization, event).await?)
    }

    async fn organization_of(&self, event: EventId) -> StoreResult<Option<OrganizationId>> {
        Ok(events::organization_of(&self.db, event).await?)
    }

    async fn events(
        &self,
        organization: Option<OrganizationId>,
        published_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<EventSummary>> {
        Ok(events::list(&self.reports, organization, published_only, page).await?)
    }

    async fn programme(&self, request: ProgrammeRequest) -> StoreResult<Page<EventSummary>> {
        Ok(events::programme(&self.reports, request).await?)
    }

    async fn venue_of(&self, organization: OrganizationId, event: EventId) -> StoreResult<Option<Venue>> {
        Ok(venues::of_event(&self.db, organization, event).await?)
    }
}
