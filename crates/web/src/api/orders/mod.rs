//! Lets buyers place an order from a hold, view it, and pay again; organizers view it too.

mod dto;

pub use dto::{OrderDto, RefundDto, order_now, refund};

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::routes;
use voelgoed_app::checkout::Checkout;
use voelgoed_app::checkout::place_order::PlaceOrder;
use voelgoed_app::checkout::ports::{Buyer as BuyerDetails, OrderDetail};
use voelgoed_app::idempotency::Idempotent;
use voelgoed_app::payments::Payments;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_resilience::Capability;

use self::dto::{OrderBody, PaymentBody, order_at};
use super::idempotent_response::{created_response, replay_or_refuse};
use crate::extract::{BuyerSession, BuyerToken, JsonBody, PathId, RequiredKey, TokenOrOrganizer};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Proof, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create), Access::TokenInBody, Checkout::NAME)
            .critical_with(Proof::HoldJson)
            .requires(Capability::OrderAndPay)
            .of_a_sale(),
        api(routes!(show), Access::TokenOrOrganizer, Checkout::NAME).critical_with(Proof::Token).of_a_sale(),
        api(routes!(pay_again), Access::Token, Payments::NAME)
            .critical_with(Proof::Token)
            .requires(Capability::IssueAndRefund)
            .of_a_sale(),
    ]
}

/// Turns a hold into an order and starts its payment.
#[utoipa::path(post, path = "/api/v1/orders", request_body = OrderBody, tag = "checkout",
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = OrderDto), (status = 409, body = Problem, description = "place_taken, already_ordered, idempotency_mismatch"),
        (status = 410, body = Problem, description = "hold_expired, hold_lost"), (status = 503, body = Problem)))]
pub async fn create(
    State(web): State<Web>,
    buyer: BuyerSession,
    key: RequiredKey,
    body: JsonBody<OrderBody>,
) -> HandlerResult<Response> {
    let scope = web.slices.ticketing.scope_of_hold_token(body.value.hold, &body.value.hold_token)?;
    let key = key.of(body.value.hold, body.digest);
    if let Err(refused) = buyer.check_write_limits(&web).await {
        return replay_or_refuse(&web, scope.organization, &key, refused).await;
    }
    let show = |detail: &OrderDetail| json(&order_at(&web, detail, detail.order.created_at));
    let command = PlaceOrder {
        scope,
        hold: body.value.hold,
        buyer: BuyerDetails { name: body.value.buyer.name, email: body.value.buyer.email },
        address: Some(buyer.address),
        payment: body.value.payment.map(Into::into),
        idempotent: Idempotent { key, render: &show },
    };
    let outcome = web.slices.checkout.place_order(command).await?;
    Ok(created_response(outcome, show))
}

/// An order with its payments, refunds and tickets: for its buyer, and for the organization that sold it.
#[utoipa::path(get, path = "/api/v1/orders/{order}", params(("order" = String, Path)), tag = "checkout",
    responses((status = 200, body = OrderDto), (status = 404, body = Problem)))]
pub async fn show(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    reader: TokenOrOrganizer,
) -> HandlerResult<Json<OrderDto>> {
    let shown = match reader {
        TokenOrOrganizer::Token(token) => {
            view_order(&web, web.slices.checkout.scope_of_token(order, &token.0).await?.organization, order).await?
        }
        TokenOrOrganizer::Organizer(organizer) => {
            organizer.may(Scope::Sales)?;
            order_now(&web, &web.slices.checkout.read_order(organizer.organization, order).await?)
        }
    };
    Ok(Json(shown))
}

/// An order for its buyer, from the cache of orders.
async fn view_order(web: &Web, organization: OrganizationId, order: OrderId) -> HandlerResult<OrderDto> {
    Ok(order_now(web, &*web.slices.checkout.view_order(organization, order).await?))
}

/// Starts another payment attempt, while the places are kept.
#[utoipa::path(post, path = "/api/v1/orders/{order}/payments", request_body = PaymentBody, tag = "checkout",
    params(("order" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = OrderDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "payment_unresolved, not_payable")))]
pub async fn pay_again(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    buyer: BuyerSession,
    token: BuyerToken,
    key: RequiredKey,
    body: JsonBody<PaymentBody>,
) -> HandlerResult<Response> {
    let scope = web.slices.checkout.scope_of_token(order, &token.0).await?;
    let key = key.of(order, body.digest);
    if let Err(refused) = buyer.check_write_limits(&web).await {
        return replay_or_refuse(&web, scope.organization, &key, refused).await;
    }
    let now = web.slices.context.now();
    let show = |detail: &OrderDetail| json(&order_at(&web, detail, now));
    let idempotent = Idempotent { key, render: &show };
    let outcome = web.slices.payments.pay_again(scope, order, body.value.into(), idempotent).await?;
    Ok(created_response(outcome, show))
}
