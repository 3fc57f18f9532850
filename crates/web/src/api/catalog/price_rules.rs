//! Lets organizers create price rules: other prices under a condition, e.g. a promo code.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule, PriceRuleDraft};
use voelgoed_domain::ids::{EventId, PriceRuleId, TicketTypeId};
use voelgoed_domain::time::Timestamp;

use crate::api::idempotent_response::{created_response, idempotent};
use crate::extract::{JsonBody, OptionalKey, Organizer};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(create_price_rule), Access::Organizer(Scope::Catalog), Catalog::NAME)]
}

/// A price rule to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRuleBody {
    #[schema(value_type = String)]
    event: EventId,
    /// The code that buyers type; absent where the rule applies to all.
    code: Option<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    ticket_types: Vec<TicketTypeId>,
    /// `{"basis_points_off": 1000}`, `{"amount_off": 500}` or `{"price": 0}`.
    #[schema(value_type = Object)]
    effect: PriceEffect,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// The number of orders that may use the code.
    uses_max: Option<u32>,
    /// The number of orders of one buyer that may use the code.
    uses_per_buyer_max: Option<u32>,
}

/// A price rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceRuleDto {
    #[schema(value_type = String)]
    id: PriceRuleId,
    #[schema(value_type = String)]
    event: EventId,
    code: Option<String>,
    #[schema(value_type = Object)]
    effect: PriceEffect,
    uses_max: Option<u32>,
    uses_per_buyer_max: Option<u32>,
}

/// Changes prices under a condition, e.g. a promo code.
#[utoipa::path(post, path = "/api/v1/price-rules", request_body = PriceRuleBody, tag = "catalog",
    responses((status = 201, body = PriceRuleDto), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn create_price_rule(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<PriceRuleBody>,
) -> HandlerResult<Response> {
    let scope = caller.event(body.value.event).await?;
    let show = |rule: &PriceRule| {
        json(&PriceRuleDto {
            id: rule.id,
            event: rule.event,
            code: rule.code.clone(),
            effect: rule.effect,
            uses_max: rule.uses_max,
            uses_per_buyer_max: rule.uses_per_buyer_max,
        })
    };
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let PriceRuleBody { code, ticket_types, effect, starts_at, ends_at, uses_max, uses_per_buyer_max, .. } = body.value;
    let draft = PriceRuleDraft { code, ticket_types, effect, starts_at, ends_at, uses_max, uses_per_buyer_max };
    let command = catalog.create_price_rule(scope, draft, repeat);
    let outcome = caller.act("price_rule.create", scope.event, command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}
