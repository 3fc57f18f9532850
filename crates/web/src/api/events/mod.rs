//! Serves the public data of events, a file per route; this file has the DTOs that several of them share.

pub mod list;
pub mod map;
pub mod show;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{Event, EventState, FeePolicy, TaxPolicy};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::listings::STALE_AFTER;
use voelgoed_resilience::{Capability, CapabilityAnswer};

use super::money::MoneyDto;
use crate::problem::HandlerResult;
use crate::state::Web;

/// The tenant of an event; recorded in the span of the request.
///
/// # Errors
/// `not_found`.
pub async fn located(web: &Web, event: EventId) -> HandlerResult<EventScope> {
    let scope = web.slices.catalog.listings.locate(event).await?;
    voelgoed_telemetry::spans::record_tenant(&scope.organization, Some(&scope.event));
    Ok(scope)
}

/// The listing of a public event.
///
/// # Errors
/// `not_found`, also for a draft.
pub async fn visible(web: &Web, event: EventId) -> HandlerResult<(EventScope, Arc<Listing>)> {
    let scope = located(web, event).await?;
    let listing = web.slices.catalog.listings.listing(scope).await?;
    if listing.event.state == EventState::Draft {
        return Err(Refusal::not_found().into());
    }
    Ok((scope, listing))
}

/// When an event's listing was read from the catalog, and whether it may be old because the catalog is unavailable.
pub fn catalog_age(web: &Web, scope: EventScope, now: Timestamp) -> (Timestamp, bool) {
    let at = web.slices.catalog.listings.read_at(scope).unwrap_or(now);
    let is_old = now.since(at) > STALE_AFTER;
    (at, is_old && web.capabilities.may(Capability::Browse) != CapabilityAnswer::Yes)
}

/// An event as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventSummaryDto {
    /// `evt_…`
    #[schema(value_type = String)]
    pub id: EventId,
    /// Its name.
    pub name: String,
    /// The name of the venue.
    pub venue: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// When the doors open, where that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub doors_at: Option<Timestamp>,
    /// When it ends, where that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// From when its tickets admit, where their type has no other time.
    #[schema(value_type = String, format = DateTime)]
    pub admits_from: Timestamp,
    /// Until when its tickets admit, exclusive.
    #[schema(value_type = String, format = DateTime)]
    pub admits_until: Timestamp,
    /// IANA name.
    pub timezone: String,
    /// When it is sold.
    pub sale: SaleWindowDto,
    /// `draft`, `published`, `paused` or `closed`.
    #[schema(value_type = String)]
    pub state: EventState,
    /// ISO 4217 code of all its prices.
    pub currency: String,
    /// `single`: each ticket admits once; `reentry`: again after each exit scan.
    #[schema(value_type = String)]
    pub entry_rule: EntryRule,
}

/// When an event is sold.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct SaleWindowDto {
    /// From this moment.
    #[schema(value_type = String, format = DateTime)]
    pub opens_at: Timestamp,
    /// Until this moment, exclusive.
    #[schema(value_type = String, format = DateTime)]
    pub closes_at: Timestamp,
}

/// A ticket type.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketTypeDto {
    /// `tt_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its price where no more specific one applies.
    pub price: MoneyDto,
    /// The areas that it is sold for; empty means all.
    pub areas: Vec<String>,
    /// The categories that it is sold for; empty means all.
    pub categories: Vec<String>,
    /// More specific prices.
    pub prices: Vec<PriceDto>,
    /// How many in one hold.
    pub limits: TicketTypeLimitsDto,
    /// When the doors open for it, where that differs from the event's.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub doors_at: Option<Timestamp>,
    /// When it ends, where that differs from the event's.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// From when its tickets admit.
    #[schema(value_type = String, format = DateTime)]
    pub admits_from: Timestamp,
    /// Until when its tickets admit, exclusive.
    #[schema(value_type = String, format = DateTime)]
    pub admits_until: Timestamp,
}

/// A more specific price.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceDto {
    /// In this area only.
    area: Option<String>,
    /// In this category only.
    category: Option<String>,
    /// Minor units of the event's currency.
    amount: i64,
}

/// How many of a ticket type one hold may contain.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct TicketTypeLimitsDto {
    /// The fewest, where any are in the hold.
    pub min_per_hold: u32,
    /// The most.
    pub max_per_hold: u32,
    /// The most of it for one buyer, over all orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_buyer: Option<u32>,
}

/// The fees on top of each ticket.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct FeesDto {
    /// Minor units per ticket.
    #[serde(default)]
    pub per_ticket: i64,
    /// Hundredths of a percent of the price.
    #[serde(default)]
    pub basis_points: u32,
}

/// The tax on tickets and fees.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct TaxDto {
    /// Hundredths of a percent.
    #[serde(default)]
    pub basis_points: u32,
    /// True: prices contain it; false: it is added.
    #[serde(default)]
    pub included: bool,
}

/// How much one buyer may have.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct EventLimitsDto {
    /// Places in one hold.
    pub places_per_hold: u32,
    /// Places held at once by one session.
    pub places_per_session: u32,
}

impl From<FeePolicy> for FeesDto {
    fn from(fees: FeePolicy) -> Self {
        Self { per_ticket: fees.per_ticket, basis_points: fees.basis_points }
    }
}

impl From<TaxPolicy> for TaxDto {
    fn from(tax: TaxPolicy) -> Self {
        Self { basis_points: tax.basis_points, included: tax.included }
    }
}

/// An event for lists.
pub fn summary(event: &Event, venue: String) -> EventSummaryDto {
    let window = event.admission_window();
    EventSummaryDto {
        id: event.id,
        name: event.name.clone(),
        venue,
        starts_at: event.starts_at,
        doors_at: event.admission.doors_at,
        ends_at: event.admission.ends_at,
        admits_from: window.from,
        admits_until: window.until,
        timezone: event.timezone.clone(),
        sale: SaleWindowDto { opens_at: event.sale.opens_at, closes_at: event.sale.closes_at },
        state: event.state,
        currency: event.currency.code().to_owned(),
        entry_rule: event.entry_rule,
    }
}

/// Renders a ticket type.
pub fn ticket_type(event: &Event, found: &TicketType) -> TicketTypeDto {
    let window = found.admission.type_window(event.admission_window());
    TicketTypeDto {
        id: found.id.to_string(),
        name: found.name.clone(),
        price: found.price.into(),
        areas: found.areas.iter().map(ToString::to_string).collect(),
        categories: found.categories.clone(),
        prices: found
            .prices
            .iter()
            .map(|price| PriceDto {
                area: price.area.map(|area| area.to_string()),
                category: price.category.clone(),
                amount: price.amount,
            })
            .collect(),
        limits: TicketTypeLimitsDto {
            min_per_hold: found.limits.min_per_hold,
            max_per_hold: found.limits.max_per_hold,
            max_per_buyer: found.limits.max_per_buyer,
        },
        doors_at: found.admission.doors_at,
        ends_at: found.admission.ends_at,
        admits_from: window.from,
        admits_until: window.until,
    }
}
