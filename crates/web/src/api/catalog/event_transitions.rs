//! Lets organizers publish, pause, open and close an event.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::EventTransition;
use voelgoed_domain::ids::EventId;

use crate::api::events::{EventSummaryDto, summary};
use crate::extract::{Organizer, PathId};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(publish), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Hold),
        api(routes!(pause), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Hold),
        api(routes!(open), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Hold),
        api(routes!(close), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Hold),
    ]
}

async fn act(
    catalog: &Catalog,
    caller: &Organizer,
    event: EventId,
    act: EventTransition,
    action: &str,
) -> HandlerResult<Json<EventSummaryDto>> {
    let scope = caller.event(event).await?;
    let moved = caller.act(action, event, catalog.transition_event(scope, act)).await?;
    let venue = catalog.listings.venue(scope).await?;
    Ok(Json(summary(&moved, venue.name.clone())))
}

/// Shows the event to all, and sells it within its window.
#[utoipa::path(post, path = "/api/v1/events/{event}/publish", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn publish(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> HandlerResult<Json<EventSummaryDto>> {
    act(&catalog, &caller, event, EventTransition::Publish, "event.publish").await
}

/// Stops selling for a while; holds and orders go on.
#[utoipa::path(post, path = "/api/v1/events/{event}/pause", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn pause(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> HandlerResult<Json<EventSummaryDto>> {
    act(&catalog, &caller, event, EventTransition::Pause, "event.pause").await
}

/// Sells again after a pause.
#[utoipa::path(post, path = "/api/v1/events/{event}/open", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn open(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> HandlerResult<Json<EventSummaryDto>> {
    act(&catalog, &caller, event, EventTransition::Open, "event.open").await
}

/// Stops selling for good.
#[utoipa::path(post, path = "/api/v1/events/{event}/close", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn close(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> HandlerResult<Json<EventSummaryDto>> {
    act(&catalog, &caller, event, EventTransition::Close, "event.close").await
}
