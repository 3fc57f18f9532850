//! One event with its areas and prices.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::analytics::sale_step::SaleStep;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::time::Timestamp;

use super::{
    EventLimitsDto, EventSummaryDto, FeesDto, TaxDto, TicketTypeDto, catalog_age, summary, ticket_type, visible,
};
use crate::extract::PathId;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(show), Access::Buyer, Catalog::NAME).of_a_sale()]
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

/// An event with everything that a buyer needs to choose.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventDto {
    #[serde(flatten)]
    summary: EventSummaryDto,
    /// `lay_…`, the plan that it pins.
    layout: String,
    /// The version of its map: `GET …/map` never changes for one of these.
    map_version: String,
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
    /// True where the catalog is unavailable and this may be old.
    stale: bool,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
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

/// One event with areas, ticket types, fees, tax and sale window.
#[utoipa::path(get, path = "/api/v1/events/{event}", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventDto), (status = 404, body = Problem)))]
pub async fn show(State(web): State<Web>, PathId(event): PathId<EventId>) -> HandlerResult<Json<EventDto>> {
    let (scope, listing) = visible(&web, event).await?;
    web.slices.analytics.count(scope, SaleStep::Viewed);
    let venue = web.slices.catalog.listings.venue(scope).await?;
    let limits = listing.event.limits;
    let now = web.slices.context.now();
    let (at, stale) = catalog_age(&web, scope, now);
    Ok(Json(EventDto {
        summary: summary(&listing.event, venue.name.clone()),
        layout: listing.event.layout.to_string(),
        map_version: listing.layout_version(),
        areas: listing.layout.areas.iter().map(area).collect(),
        ticket_types: listing.ticket_types.iter().map(|found| ticket_type(&listing.event, found)).collect(),
        fees: listing.event.fees.into(),
        tax: listing.event.tax.into(),
        limits: EventLimitsDto {
            places_per_hold: limits.places_per_hold,
            places_per_session: limits.places_per_session,
        },
        waiting_room: None,
        viewers: web.fanout.viewers_on_all_nodes(scope),
        at,
        stale,
        now,
    }))
}
