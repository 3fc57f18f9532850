//! Lets organizers create and retire ticket types: what is sold for an event's places, and at which price.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketType, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::{AreaId, EventId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::api::events::{TicketTypeDto, TicketTypeLimitsDto, ticket_type};
use crate::api::idempotent_response::{created_response, idempotent};
use crate::api::money::MoneyDto;
use crate::extract::{JsonBody, OptionalKey, Organizer, PathId};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create_ticket_type), Access::Organizer(Scope::Catalog), Catalog::NAME),
        api(routes!(retire_ticket_type), Access::Organizer(Scope::Catalog), Catalog::NAME),
    ]
}

/// A ticket type to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeBody {
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    price: MoneyDto,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    areas: Vec<AreaId>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    prices: Vec<PriceBody>,
    limits: Option<TicketTypeLimitsDto>,
    /// When the doors open for it, where that differs from the event's.
    #[schema(value_type = Option<String>, format = DateTime)]
    doors_at: Option<Timestamp>,
    /// When it ends; its tickets admit until 24 h later.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// From when its tickets admit, instead of the time of the doors.
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_from: Option<Timestamp>,
    /// Until when its tickets admit, exclusive, instead of 24 h after the end.
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_until: Option<Timestamp>,
}

/// A more specific price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceBody {
    #[schema(value_type = Option<String>)]
    area: Option<AreaId>,
    category: Option<String>,
    amount: i64,
}

impl From<TicketTypeBody> for TicketTypeDraft {
    fn from(body: TicketTypeBody) -> Self {
        let TicketTypeBody { doors_at, ends_at, admits_from, admits_until, .. } = body;
        let overrides = body.prices.into_iter();
        Self {
            name: body.name,
            admission: AdmissionTimes { doors_at, ends_at, admits_from, admits_until },
            price: body.price.into(),
            areas: body.areas,
            categories: body.categories,
            prices: overrides
                .map(|price| PriceOverride { area: price.area, category: price.category, amount: price.amount })
                .collect(),
            limits: body.limits.map_or_else(TicketTypeLimits::default, |limits| TicketTypeLimits {
                min_per_hold: limits.min_per_hold,
                max_per_hold: limits.max_per_hold,
                max_per_buyer: limits.max_per_buyer,
            }),
        }
    }
}

/// Adds a ticket type to an event.
#[utoipa::path(post, path = "/api/v1/ticket-types", request_body = TicketTypeBody, tag = "catalog",
    responses((status = 201, body = TicketTypeDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_ticket_type(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<TicketTypeBody>,
) -> HandlerResult<Response> {
    let scope = caller.event(body.value.event).await?;
    let listing = catalog.listings.listing(scope).await?;
    let show = |found: &TicketType| json(&ticket_type(&listing.event, found));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = catalog.create_ticket_type(scope, body.value.into(), repeat);
    let outcome = caller.act("ticket_type.create", scope.event, command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// Takes a ticket type off sale; holds and orders keep theirs.
#[utoipa::path(delete, path = "/api/v1/ticket-types/{ticket_type}", params(("ticket_type" = String, Path)), tag = "catalog",
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn retire_ticket_type(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(id): PathId<TicketTypeId>,
) -> HandlerResult<StatusCode> {
    let command = catalog.store.retire_ticket_type(caller.organization, id, catalog.context.now());
    if !caller.act("ticket_type.retire", id, command).await? {
        return Err(Refusal::not_found().into());
    }
    Ok(StatusCode::NO_CONTENT)
}
