//! Lets organizers create and list venues.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::VenueId;

use crate::api::idempotent_response::{created_response, idempotent};
use crate::api::paging::{ListDto, ListParams};
use crate::extract::{JsonBody, OptionalKey, Organizer, QueryParams};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create_venue), Access::Organizer(Scope::Catalog), Catalog::NAME),
        api(routes!(list_venues), Access::Organizer(Scope::Catalog), Catalog::NAME),
    ]
}

/// A venue to create.
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
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<VenueBody>,
) -> HandlerResult<Response> {
    let show = |found: &Venue| json(&venue(found));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = catalog.create_venue(caller.organization, &body.value.name, &body.value.address, repeat);
    let outcome = caller.act("venue.create", "", command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// The venues, oldest first.
#[utoipa::path(get, path = "/api/v1/venues", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<VenueDto>), (status = 403, body = Problem)))]
pub async fn list_venues(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<VenueDto>>> {
    let found = catalog.store.venues(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| venue(&found))))
}
