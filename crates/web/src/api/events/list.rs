//! Lists the published events, from the last read while the catalog is unavailable.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;
use uuid::Uuid;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::ids::OrganizationId;

use super::{EventSummaryDto, summary};
use crate::api::paging::{ListDto, ListParams};
use crate::extract::QueryParams;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Route, api};
use crate::stale_fallback::published_events;
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(list), Access::Buyer, Catalog::NAME)]
}

/// The requested page of events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsParams {
    /// Of this organization only.
    #[param(value_type = Option<String>)]
    organization: Option<OrganizationId>,
    /// The cursor that the page before had as `next`.
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
    QueryParams(params): QueryParams<EventsParams>,
) -> HandlerResult<Json<ListDto<EventSummaryDto>>> {
    let page = ListParams { after: params.after, limit: params.limit }.page()?;
    let found = published_events(&web, params.organization, page).await?;
    let list = ListDto::of(found.page, |item| summary(&item.event, item.venue));
    Ok(Json(list.stale_since(found.stale_since, web.slices.context.now())))
}
