//! Lets organizers open, list, retry and settle refunds.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;
use voelgoed_app::idempotency::Idempotent;
use voelgoed_app::payments::Payments;
use voelgoed_app::payments::open_refund::OpenRefund;
use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{EventId, OrderId, RefundId, TicketId};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::Capability;

use super::idempotent_response::created_response;
use super::money::MoneyDto;
use super::orders::{RefundDto, refund};
use super::paging::{ListDto, ListParams};
use crate::extract::{JsonBody, Organizer, PathId, PathIds, QueryParams, RequiredKey};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Proof, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create), Access::Organizer(Scope::Sales), Payments::NAME)
            .critical_with(Proof::Organizer)
            .requires(Capability::IssueAndRefund),
        api(routes!(list), Access::Organizer(Scope::Sales), Payments::NAME).class(Class::Report),
        api(routes!(retry), Access::Organizer(Scope::Sales), Payments::NAME).critical_with(Proof::Organizer),
        api(routes!(settle), Access::Organizer(Scope::Sales), Payments::NAME).critical_with(Proof::Organizer),
    ]
}

/// The refund to open: tickets with the amounts that were paid for them, or one amount.
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

/// Opens a refund: its tickets stop admitting first, then its places are free, and the provider is called last.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refunds", params(("order" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = RefundBody, tag = "sales",
    responses((status = 201, body = RefundDto), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "refund_too_large, ticket_used, wrong_state")))]
pub async fn create(
    State(payments): State<Arc<Payments>>,
    caller: Organizer,
    PathId(order): PathId<OrderId>,
    key: RequiredKey,
    body: JsonBody<RefundBody>,
) -> HandlerResult<Response> {
    let selection = match (body.value.tickets, body.value.amount) {
        (Some(tickets), None) => RefundSelection::Tickets(tickets),
        (None, Some(amount)) => RefundSelection::Amount(amount.into()),
        _ => return Err(Refusal::invalid("body", "Give either `tickets` or `amount`.").into()),
    };
    let show = |found: &Refund| json(&refund(found));
    let command = OpenRefund {
        order,
        selection,
        revoke: body.value.revoke,
        reason: body.value.reason,
        forced: body.value.forced,
        actor: caller.actor.clone(),
        idempotent: Idempotent { key: key.of(&caller.actor, body.digest), render: &show },
    };
    let command = payments.open_refund(caller.organization, command);
    let outcome = caller.act("order.refund", order, command).await?;
    Ok(created_response(outcome, show))
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
    /// The provider's reason, where it refused the refund.
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

/// The requested refunds.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RefundsParams {
    /// In this state only; a person must handle those that `failed`.
    #[param(value_type = Option<String>)]
    state: Option<RefundState>,
    /// The cursor that the page before had as `next`.
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
    State(payments): State<Arc<Payments>>,
    caller: Organizer,
    QueryParams(params): QueryParams<RefundsParams>,
) -> HandlerResult<Json<ListDto<RefundLineDto>>> {
    let page = ListParams { after: params.after, limit: params.limit }.page()?;
    let found = payments.store.refunds(caller.organization, params.state, page).await?;
    Ok(Json(ListDto::of(found, line)))
}

/// Retries a refund that the provider refused; the money goes back once at most.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refunds/{refund}/retry", params(("order" = String, Path), ("refund" = String, Path)), tag = "sales",
    responses((status = 200, body = RefundDto), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "wrong_state, refund_too_large")))]
pub async fn retry(
    State(payments): State<Arc<Payments>>,
    caller: Organizer,
    PathIds(order, id): PathIds<OrderId, RefundId>,
) -> HandlerResult<Json<RefundDto>> {
    let command = payments.retry_refund(caller.organization, order, id);
    Ok(Json(refund(&caller.act("refund.retry", id, command).await?)))
}

/// How the money was refunded without the platform.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleBody {
    /// The provider's reference, or where the refund is documented; 1 to 200 characters.
    reference: String,
}

/// Marks a refused refund as `done`, because the money was refunded without the platform, e.g. in the provider's console.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refunds/{refund}/settle", params(("order" = String, Path), ("refund" = String, Path)),
    request_body = SettleBody, tag = "sales",
    responses((status = 200, body = RefundDto), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "wrong_state, refund_too_large")))]
pub async fn settle(
    State(payments): State<Arc<Payments>>,
    caller: Organizer,
    PathIds(order, id): PathIds<OrderId, RefundId>,
    body: JsonBody<SettleBody>,
) -> HandlerResult<Json<RefundDto>> {
    let command = payments.settle_refund(caller.organization, order, id, &body.value.reference);
    Ok(Json(refund(&caller.act("refund.settle", id, command).await?)))
}
