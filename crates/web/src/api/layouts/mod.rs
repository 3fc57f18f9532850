//! Lets organizers create seating plans, list and show them, and set flags of their seats.

mod dto;
pub mod import;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_app::catalog::ports::StoredLayout;
use voelgoed_app::catalog::set_layout_flags::SetLayoutFlags;
use voelgoed_app::environment::new_id;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::LayoutId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use self::dto::{FlagsBody, LayoutBody, LayoutDto, LayoutLineDto, PlanDto, layout, line, parse_area, plan};
use super::idempotent_response::{created_response, idempotent};
use super::paging::{ListDto, ListParams};
use crate::extract::{JsonBody, OptionalKey, Organizer, PathId, QueryParams};
use crate::json_bytes::json;
use crate::precompressed::Precompressed;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, BodyRules, Class, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create), Access::Organizer(Scope::Catalog), Catalog::NAME)
            .class(Class::Report)
            .body(BodyRules::Layout),
        api(routes!(list), Access::Organizer(Scope::Catalog), Catalog::NAME),
        api(routes!(show), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Report),
        api(routes!(set_flags), Access::Organizer(Scope::Catalog), Catalog::NAME)
            .class(Class::Report)
            .body(BodyRules::Layout),
    ]
}

/// Adds the next version of a venue's seating plan.
#[utoipa::path(post, path = "/api/v1/layouts", request_body = LayoutBody, tag = "catalog",
    responses((status = 201, body = LayoutDto), (status = 400, body = Problem, description = "invalid_layout"), (status = 404, body = Problem)))]
pub async fn create(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<LayoutBody>,
) -> HandlerResult<Response> {
    let areas = body.value.areas.into_iter().enumerate();
    let areas = areas
        .map(|(at, area)| parse_area(new_id(&*catalog.context.environment), at, area))
        .collect::<Result<Vec<_>, _>>()?;
    let show = |stored: &StoredLayout| json(&layout(stored));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = catalog.create_layout(caller.organization, body.value.venue, areas, repeat);
    let outcome = caller.act("layout.create", body.value.venue, command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// A seating plan with all of its seats.
#[utoipa::path(get, path = "/api/v1/layouts/{layout}", params(("layout" = String, Path)), tag = "catalog",
    responses((status = 200, body = PlanDto), (status = 404, body = Problem)))]
pub async fn show(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<LayoutId>,
    headers: HeaderMap,
) -> HandlerResult<Response> {
    let found = web.slices.catalog.store.read_layout(caller.organization, id).await?;
    let stored = found.ok_or_else(Refusal::not_found)?;
    let version = format!("plan {id} {}", stored.layout.flags_version);
    let render = move || Precompressed::new(json(&plan(&stored)), "application/json");
    Ok(web.maps.get(&version, render).await?.response(&headers))
}

/// Sets the flags of seats, also where events sell them already; held and sold places stay as they are.
#[utoipa::path(patch, path = "/api/v1/layouts/{layout}/flags", params(("layout" = String, Path)), request_body = FlagsBody, tag = "catalog",
    responses((status = 200, body = PlanDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn set_flags(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(id): PathId<LayoutId>,
    body: JsonBody<FlagsBody>,
) -> HandlerResult<Json<PlanDto>> {
    let FlagsBody { places, labels, flags } = body.value;
    let places = places.into_iter().map(PlaceNumber).collect();
    let command = SetLayoutFlags { layout: id, places, labels, flags };
    let command = catalog.set_layout_flags(caller.organization, command);
    let stored = caller.act("layout.flags", id, command).await?;
    Ok(Json(plan(&stored)))
}

/// The seating plans, oldest first.
#[utoipa::path(get, path = "/api/v1/layouts", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<LayoutLineDto>), (status = 403, body = Problem)))]
pub async fn list(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<LayoutLineDto>>> {
    let found = catalog.store.layouts(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |stored| line(&stored))))
}
