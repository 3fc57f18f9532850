//! What anybody may see of events: the list, one with its prices, and its map.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use voelgoed_app::analytics::ports::Step;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{Event, EventState, FeePolicy, TaxPolicy};
use voelgoed_domain::catalog::layout::{Area, AreaKind, Layout};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::listings::STALE_AFTER;
use voelgoed_resilience::{Answer as Availability, Capability};

use super::created::json;
use super::money::MoneyDto;
use super::paging::{ListDto, ListParams};
use crate::extract::{Params, PathId};
use crate::last_known::published_events;
use crate::problem::{Answer, Problem};
use crate::state::Web;

/// An event as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventSummaryDto {
    /// `evt_…`
    #[schema(value_type = String)]
    pub id: EventId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub venue: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// IANA name.
    pub timezone: String,
    /// When it is sold.
    pub sale: SaleWindowDto,
    /// `draft`, `published`, `paused` or `closed`.
    #[schema(value_type = String)]
    pub state: EventState,
    /// ISO 4217 code of all its prices.
    pub currency: String,
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

/// An area in an event's description.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaDto {
    /// `ar_…`
    id: String,
    /// Its name.
    name: String,
    /// `seated` or `general_admission`.
    kind: &'static str,
    /// Its first place.
    first: u32,
    /// How many places it has.
    count: u32,
    /// The categories of its places.
    categories: Vec<String>,
}

/// A ticket type.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketTypeDto {
    /// `tt_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its price where nothing more specific is said.
    pub price: MoneyDto,
    /// The areas that it is sold for; empty means all.
    pub areas: Vec<String>,
    /// The categories that it is sold for; empty means all.
    pub categories: Vec<String>,
    /// More specific prices.
    pub prices: Vec<PriceDto>,
    /// How many in one hold.
    pub limits: TicketTypeLimitsDto,
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
    /// At least so many, where any.
    pub min_per_hold: u32,
    /// At most so many.
    pub max_per_hold: u32,
}

/// An event with everything that a buyer needs to choose.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventDto {
    #[serde(flatten)]
    summary: EventSummaryDto,
    /// The version of its map: `GET …/map` never changes for one of these.
    layout: String,
    areas: Vec<AreaDto>,
    ticket_types: Vec<TicketTypeDto>,
    fees: FeesDto,
    tax: TaxDto,
    limits: EventLimitsDto,
    /// Present where the event has a waiting room; none has one yet.
    waiting_room: Option<String>,
    /// How many watch it now, on all nodes together, as of a few seconds ago.
    viewers: u64,
    /// When all of this was read from the catalog.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// True where a part of the platform is away and this may be old.
    stale: bool,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// What is charged on top of each ticket.
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
    EventSummaryDto {
        id: event.id,
        name: event.name.clone(),
        venue,
        starts_at: event.starts_at,
        timezone: event.timezone.clone(),
        sale: SaleWindowDto { opens_at: event.sale.opens_at, closes_at: event.sale.closes_at },
        state: event.state,
        currency: event.currency.code().to_owned(),
    }
}

/// A ticket type, rendered.
pub fn ticket_type(found: &TicketType) -> TicketTypeDto {
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
        },
    }
}

fn area(area: &Area) -> AreaDto {
    AreaDto {
        id: area.id.to_string(),
        name: area.name.clone(),
        kind: if area.is_seated() { "seated" } else { "general_admission" },
        first: area.first.0,
        count: u32::try_from(area.places().len()).unwrap_or(u32::MAX),
        categories: area.categories().map(str::to_owned).collect(),
    }
}

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsParams {
    /// Of this organization only.
    #[param(value_type = Option<String>)]
    organization: Option<OrganizationId>,
    /// The cursor that the part before gave as `next`.
    #[param(value_type = Option<String>)]
    after: Option<Uuid>,
    /// How many items, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The published events, oldest first.
#[utoipa::path(get, path = "/api/v1/events", params(EventsParams), tag = "catalog",
    responses((status = 200, body = ListDto<EventSummaryDto>), (status = 400, body = Problem)))]
pub async fn list(
    State(web): State<Web>,
    Params(params): Params<EventsParams>,
) -> Answer<Json<ListDto<EventSummaryDto>>> {
    let page = ListParams { after: params.after, limit: params.limit }.page()?;
    let found = published_events(&web, params.organization, page).await?;
    let list = ListDto::of(found.page, |item| summary(&item.event, item.venue));
    Ok(Json(list.known(found.stale_since, web.platform.environment.now())))
}

/// The listing of an event that everybody may see.
///
/// # Errors
/// `not_found`, also for a draft.
pub async fn visible(web: &Web, event: EventId) -> Answer<(EventScope, Arc<Listing>)> {
    let scope = web.platform.listings.locate(event).await?;
    voelgoed_telemetry::spans::belongs_to(&scope.organization, Some(&scope.event));
    let listing = web.platform.listings.listing(scope).await?;
    if listing.event.state == EventState::Draft {
        return Err(Refusal::not_found().into());
    }
    Ok((scope, listing))
}

/// When what is shown of an event was read from the catalog, and whether it may be old, since the catalog cannot be asked.
pub fn catalog_age(web: &Web, scope: EventScope, now: Timestamp) -> (Timestamp, bool) {
    let at = web.platform.listings.read_at(scope).unwrap_or(now);
    let is_old = now.since(at) > STALE_AFTER;
    (at, is_old && web.capabilities.may(Capability::Browse) != Availability::Yes)
}

/// One event with areas, ticket types, fees, tax and sale window.
#[utoipa::path(get, path = "/api/v1/events/{event}", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventDto), (status = 404, body = Problem)))]
pub async fn show(State(web): State<Web>, PathId(event): PathId<EventId>) -> Answer<Json<EventDto>> {
    let (scope, listing) = visible(&web, event).await?;
    web.platform.counters.count(&*web.platform.environment, scope, Step::Viewed);
    let venue = web.platform.listings.venue(scope).await?;
    let limits = listing.event.limits;
    let now = web.platform.environment.now();
    let (at, stale) = catalog_age(&web, scope, now);
    Ok(Json(EventDto {
        summary: summary(&listing.event, venue.name.clone()),
        layout: listing.event.layout.to_string(),
        areas: listing.layout.areas.iter().map(area).collect(),
        ticket_types: listing.ticket_types.iter().map(ticket_type).collect(),
        fees: listing.event.fees.into(),
        tax: listing.event.tax.into(),
        limits: EventLimitsDto {
            places_per_hold: limits.places_per_hold,
            places_per_session: limits.places_per_session,
        },
        waiting_room: None,
        viewers: web.fanout.watching(scope),
        at,
        stale,
        now,
    }))
}

/// A seating plan for drawing.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapDto {
    /// The version; the same one never changes.
    layout: String,
    /// The areas, in place order.
    areas: Vec<MapAreaDto>,
}

/// An area of a map: with rows where it is seated, with `first` and `count` where not.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapAreaDto {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<MapRowDto>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
}

/// A row of a map.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapRowDto {
    name: String,
    seats: Vec<MapSeatDto>,
}

/// A seat of a map.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapSeatDto {
    place: u32,
    label: String,
    x: f32,
    y: f32,
    category: String,
    /// `accessible`, `companion`, `restricted_view`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    flags: Vec<voelgoed_domain::catalog::layout::SeatFlag>,
}

/// The map of a layout.
pub fn map_of(id: String, layout: &Layout) -> MapDto {
    MapDto { layout: id, areas: layout.areas.iter().map(map_area).collect() }
}

fn map_area(area: &Area) -> MapAreaDto {
    let base = MapAreaDto {
        id: area.id.to_string(),
        name: area.name.clone(),
        rows: None,
        first: None,
        count: None,
        category: None,
    };
    match &area.kind {
        AreaKind::GeneralAdmission { capacity, category } => {
            MapAreaDto { first: Some(area.first.0), count: Some(*capacity), category: Some(category.clone()), ..base }
        }
        AreaKind::Seated { rows } => {
            let mut place = area.first.0;
            let rows = rows.iter().map(|row| MapRowDto {
                name: row.name.clone(),
                seats: row
                    .seats
                    .iter()
                    .map(|seat| {
                        let dto = MapSeatDto {
                            place,
                            label: seat.label.clone(),
                            x: seat.x,
                            y: seat.y,
                            category: seat.category.clone(),
                            flags: seat.flags.clone(),
                        };
                        place += 1;
                        dto
                    })
                    .collect(),
            });
            MapAreaDto { rows: Some(rows.collect()), ..base }
        }
    }
}

/// The pinned seating plan; immutable, cacheable by its version.
#[utoipa::path(get, path = "/api/v1/events/{event}/map", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = MapDto), (status = 304, description = "as before"), (status = 404, body = Problem)))]
pub async fn map(State(web): State<Web>, PathId(event): PathId<EventId>, headers: HeaderMap) -> Answer<Response> {
    let (_, listing) = visible(&web, event).await?;
    let version = listing.event.layout.to_string();
    let etag = format!("\"{version}\"");
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = json(&map_of(version, &listing.layout));
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}
