//! Lets organizers block places of an event and give them back to the sale.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::ticketing::Ticketing;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::api::idempotent_response::{idempotent, no_content_response};
use crate::extract::{JsonBody, OptionalKey, Organizer, PathId};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(block), Access::Organizer(Scope::Catalog), Ticketing::NAME).class(Class::Hold),
        api(routes!(unblock), Access::Organizer(Scope::Catalog), Ticketing::NAME).class(Class::Hold),
    ]
}

/// Places to block or to give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlocksBody {
    places: Vec<u32>,
    /// Why, for the members of the organization.
    #[serde(default)]
    reason: String,
}

/// The places that were given back.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnblockedDto {
    places: Vec<u32>,
}

/// Blocks places, all or nothing.
#[utoipa::path(post, path = "/api/v1/events/{event}/blocks", params(("event" = String, Path)), request_body = BlocksBody, tag = "ticketing",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "place_taken")))]
pub async fn block(
    State(ticketing): State<Arc<Ticketing>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    key: OptionalKey,
    body: JsonBody<BlocksBody>,
) -> HandlerResult<Response> {
    let scope = caller.event(event).await?;
    let places = body.value.places.into_iter().map(PlaceNumber).collect();
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &|()| Bytes::from_static(b"null"));
    let command = ticketing.block(scope, places, body.value.reason, repeat);
    let outcome = caller.act("places.block", event, command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(no_content_response(&outcome))
}

/// Gives blocked places back to the sale; those that are not blocked are left alone.
#[utoipa::path(delete, path = "/api/v1/events/{event}/blocks", params(("event" = String, Path)), request_body = BlocksBody, tag = "ticketing",
    responses((status = 200, body = UnblockedDto), (status = 404, body = Problem)))]
pub async fn unblock(
    State(ticketing): State<Arc<Ticketing>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    body: JsonBody<BlocksBody>,
) -> HandlerResult<Json<UnblockedDto>> {
    let scope = caller.event(event).await?;
    let places = body.value.places.into_iter().map(PlaceNumber).collect();
    let command = ticketing.unblock(scope, places);
    let given = caller.act("places.unblock", event, command).await?;
    Ok(Json(UnblockedDto { places: given.iter().map(|place| place.0).collect() }))
}
