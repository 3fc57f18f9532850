//! Organizers give money back.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use voelgoed_app::idempotency::Idempotent;
use voelgoed_app::payments::open_refund::{OpenRefund, open_refund};
use voelgoed_app::payments::ports::Refund;
use voelgoed_app::payments::refused_refund::{retry_refund, settle_refund};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{EventId, OrderId, RefundId, TicketId};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::created::created;
use super::money::MoneyDto;
use super::orders::{RefundDto, refund};
use super::paging::{ListDto, ListParams};
use crate::extract::{Body, Organizer, Params, PathId, PathIds, RequiredKey};
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

/// A refund in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundLineDto {
    #[schema(value_type = String)]
    id: RefundId,
    #[schema(value_type = String)]
    order: OrderId,
    #[schema(value_type = String)]
    event: EventId,
    provider: String,
    /// `pending`, `unknown`, `done` or `failed`.
    #[schema(value_type = String)]
    state: RefundState,
    amount: MoneyDto,
    reason: String,
    /// What the provider said where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn line(found: Refund) -> RefundLineDto {
    RefundLineDto {
        id: found.id,
        order: found.order,
        event: found.event,
        provider: found.provider,
        state: found.state,
        amount: found.amount.into(),
        reason: found.reason,
        failure: found.failure,
        created_at: found.created_at,
    }
}

/// Which refunds are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RefundsParams {
    /// In this state only; `failed` are those that a person must look at.
    #[param(value_type = Option<String>)]
    state: Option<RefundState>,
    /// The cursor that the part before gave as `next`.
    #[param(value_type = Option<String>)]
    after: Option<Uuid>,
    /// How many items, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The organization's refunds, oldest first.
#[utoipa::path(get, path = "/api/v1/refunds", params(RefundsParams), tag = "sales",
    responses((status = 200, body = ListDto<RefundLineDto>), (status = 403, body = Problem)))]
pub async fn list(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<RefundsParams>,
) -> Answer<Json<ListDto<RefundLineDto>>> {
    caller.may(Scope::Sales)?;
    let page = ListParams { after: params.after, limit: params.limit }.page()?;
    let found = web.platform.payments.refunds(caller.organization, params.state, page).await?;
    Ok(Json(ListDto::of(found, line)))
}

/// Has the provider asked again for a refund that it refused; its money goes back once at most.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refunds/{refund}/retry", params(("order" = String, Path), ("refund" = String, Path)), tag = "sales",
    responses((status = 200, body = RefundDto), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "wrong_state, refund_too_large")))]
pub async fn retry(
    State(web): State<Web>,
    caller: Organizer,
    PathIds(order, id): PathIds<OrderId, RefundId>,
) -> Answer<Json<RefundDto>> {
    caller.may(Scope::Sales)?;
    let command = retry_refund(&web.platform, caller.organization, order, id);
    Ok(Json(refund(&caller.act(&web, "refund.retry", id, command).await?)))
}

/// How the money went back without us.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleBody {
    /// The provider's reference of it, or where it is noted; 1 to 200 characters.
    reference: String,
}

/// Says that the provider has given the money of a refused refund back without us, e.g. in its own console: the refund is `done`.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refunds/{refund}/settle", params(("order" = String, Path), ("refund" = String, Path)),
    request_body = SettleBody, tag = "sales",
    responses((status = 200, body = RefundDto), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "wrong_state, refund_too_large")))]
pub async fn settle(
    State(web): State<Web>,
    caller: Organizer,
    PathIds(order, id): PathIds<OrderId, RefundId>,
    body: Body<SettleBody>,
) -> Answer<Json<RefundDto>> {
    caller.may(Scope::Sales)?;
    let command = settle_refund(&web.platform, caller.organization, order, id, &body.value.reference);
    Ok(Json(refund(&caller.act(&web, "refund.settle", id, command).await?)))
}
