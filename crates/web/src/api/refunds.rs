//! Organizers give money back.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use voelgoed_app::idempotency::Idempotent;
use voelgoed_app::payments::open_refund::{OpenRefund, open_refund};
use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{OrderId, TicketId};
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::Refusal;

use super::created::created;
use super::money::MoneyDto;
use super::orders::{RefundDto, refund};
use crate::extract::{Body, Organizer, PathId, RequiredKey};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// What is given back: tickets with what was paid for them, or an amount.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundBody {
    #[schema(value_type = Option<Vec<String>>)]
    tickets: Option<Vec<TicketId>>,
    amount: Option<MoneyDto>,
    /// `true`: the tickets are taken back and their places are free; `false`: they stay valid. Where absent, named tickets are taken back, and with an
    /// amount that is all that is left of the order its unused tickets are.
    revoke: Option<bool>,
    /// Why, for people.
    reason: String,
    /// True: also tickets that have admitted.
    #[serde(default)]
    forced: bool,
}

/// Opens a refund: its tickets stop admitting first, its places are free after that, and the provider is asked last.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refunds", params(("order" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = RefundBody, tag = "sales",
    responses((status = 201, body = RefundDto), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "refund_too_large, ticket_used, wrong_state")))]
pub async fn create(
    State(web): State<Web>,
    caller: Organizer,
    PathId(order): PathId<OrderId>,
    key: RequiredKey,
    body: Body<RefundBody>,
) -> Answer<Response> {
    caller.may(Scope::Sales)?;
    let wish = match (body.value.tickets, body.value.amount) {
        (Some(tickets), None) => RefundRequest::Tickets(tickets),
        (None, Some(amount)) => RefundRequest::Amount(amount.into()),
        _ => return Err(Refusal::invalid("body", "Give either `tickets` or `amount`.").into()),
    };
    let show = |found: &Refund| json(&refund(found));
    let command = OpenRefund {
        order,
        wish,
        revoke: body.value.revoke,
        reason: body.value.reason,
        forced: body.value.forced,
        actor: caller.actor.clone(),
        idempotent: Idempotent { key: key.of(&caller.actor, body.digest), render: &show },
    };
    let command = open_refund(&web.platform, caller.organization, command);
    let outcome = caller.act(&web, "order.refund", order, command).await?;
    Ok(created(outcome, show))
}
