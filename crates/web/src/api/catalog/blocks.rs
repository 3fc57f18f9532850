//! Places that an organizer keeps back, or gives back to the sale.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::ticketing::block::{block as block_command, unblock as unblock_command};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::ticketing::place::PlaceNumber;

use crate::api::created::{done, idempotent, or_replayed};
use crate::extract::{Body, OptionalKey, Organizer, PathId};
use crate::problem::{Answer, Problem};
use crate::state::Web;

/// Places to keep back, or to give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlocksBody {
    places: Vec<u32>,
    /// Why, for the organizer's own people.
    #[serde(default)]
    reason: String,
}

/// The places that were given back.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnblockedDto {
    places: Vec<u32>,
}

/// Keeps places back, all or nothing.
#[utoipa::path(post, path = "/api/v1/events/{event}/blocks", params(("event" = String, Path)), request_body = BlocksBody, tag = "ticketing",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "place_taken")))]
pub async fn block(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    key: OptionalKey,
    body: Body<BlocksBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, event).await?;
    let places = body.value.places.into_iter().map(PlaceNumber).collect();
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &|()| Bytes::from_static(b"null"));
    let command = block_command(&web.platform, scope, places, body.value.reason, repeat);
    let outcome = caller.act(&web, "places.block", event, command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(done(&outcome))
}

/// Gives blocked places back to the sale; those that are not blocked are left alone.
#[utoipa::path(delete, path = "/api/v1/events/{event}/blocks", params(("event" = String, Path)), request_body = BlocksBody, tag = "ticketing",
    responses((status = 200, body = UnblockedDto), (status = 404, body = Problem)))]
pub async fn unblock(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    body: Body<BlocksBody>,
) -> Answer<Json<UnblockedDto>> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, event).await?;
    let places = body.value.places.into_iter().map(PlaceNumber).collect();
    let command = unblock_command(&web.platform, scope, places);
    let given = caller.act(&web, "places.unblock", event, command).await?;
    Ok(Json(UnblockedDto { places: given.iter().map(|place| place.0).collect() }))
}
