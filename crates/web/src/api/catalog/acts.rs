//! What an organizer does with an event: publish, pause, open, close.

use axum::Json;
use axum::extract::State;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::EventAct;
use voelgoed_domain::ids::EventId;

use crate::api::events::{EventSummaryDto, summary};
use crate::extract::{Organizer, PathId};
use crate::problem::{Answer, Problem};
use crate::state::Web;

async fn act(
    web: &Web,
    caller: &Organizer,
    event: EventId,
    act: EventAct,
    action: &str,
) -> Answer<Json<EventSummaryDto>> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(web, event).await?;
    let moved = caller.act(web, action, event, move_event(&web.platform, scope, act)).await?;
    let venue = web.platform.listings.venue(scope).await?;
    Ok(Json(summary(&moved, venue.name.clone())))
}

/// Shows the event to all, and sells it within its window.
#[utoipa::path(post, path = "/api/v1/events/{event}/publish", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn publish(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Publish, "event.publish").await
}

/// Stops selling for a while; holds and orders go on.
#[utoipa::path(post, path = "/api/v1/events/{event}/pause", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn pause(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Pause, "event.pause").await
}

/// Sells again after a pause.
#[utoipa::path(post, path = "/api/v1/events/{event}/open", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn open(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Open, "event.open").await
}

/// Stops selling for good.
#[utoipa::path(post, path = "/api/v1/events/{event}/close", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn close(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Close, "event.close").await
}
