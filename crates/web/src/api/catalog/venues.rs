//! Venues: where events take place.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::catalog::create_venue::create_venue as create_venue_command;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::VenueId;

use crate::api::created::{created, idempotent, or_replayed};
use crate::api::paging::{ListDto, ListParams};
use crate::extract::{Body, OptionalKey, Organizer, Params};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// A venue to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VenueBody {
    name: String,
    #[serde(default)]
    address: String,
}

/// A venue.
#[derive(Debug, Serialize, ToSchema)]
pub struct VenueDto {
    #[schema(value_type = String)]
    id: VenueId,
    name: String,
    address: String,
}

fn venue(found: &Venue) -> VenueDto {
    VenueDto { id: found.id, name: found.name.clone(), address: found.address.clone() }
}

/// Adds a venue.
#[utoipa::path(post, path = "/api/v1/venues", request_body = VenueBody, tag = "catalog",
    responses((status = 201, body = VenueDto), (status = 403, body = Problem)))]
pub async fn create_venue(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<VenueBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let show = |found: &Venue| json(&venue(found));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command =
        create_venue_command(&web.platform, caller.organization, &body.value.name, &body.value.address, repeat);
    let outcome = caller.act(&web, "venue.create", "", command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// The venues, oldest first.
#[utoipa::path(get, path = "/api/v1/venues", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<VenueDto>), (status = 403, body = Problem)))]
pub async fn list_venues(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<VenueDto>>> {
    caller.may(Scope::Catalog)?;
    let found = web.platform.catalog.venues(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| venue(&found))))
}
