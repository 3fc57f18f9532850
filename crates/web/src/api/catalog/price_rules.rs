//! Price rules: other prices under a condition, e.g. a promo code.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::catalog::create_price_rule::create_price_rule as create_price_rule_command;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule, PriceRuleDraft};
use voelgoed_domain::ids::{EventId, PriceRuleId, TicketTypeId};
use voelgoed_domain::time::Timestamp;

use crate::api::created::{created, idempotent, or_replayed};
use crate::extract::{Body, OptionalKey, Organizer};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// A price rule to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRuleBody {
    #[schema(value_type = String)]
    event: EventId,
    /// What the buyer types; absent where the rule applies by itself.
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
    /// Of a code: how many orders may use it.
    uses_max: Option<u32>,
    /// Of a code: how many orders of one buyer may use it.
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
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<PriceRuleBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, body.value.event).await?;
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
    let command = create_price_rule_command(&web.platform, scope, draft, repeat);
    let outcome = caller.act(&web, "price_rule.create", scope.event, command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}
