//! Lets organizers list and cancel the orders of their events.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;
use voelgoed_app::checkout::Checkout;
use voelgoed_app::checkout::ports::Order;
use voelgoed_app::payments::Payments;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, OrderId};
use voelgoed_domain::time::Timestamp;

use super::money::MoneyDto;
use super::orders::{OrderDto, order_now};
use super::paging::{ListDto, ListParams};
use crate::extract::{Organizer, PathId, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Proof, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(list_orders), Access::Organizer(Scope::Sales), Checkout::NAME).class(Class::Report),
        api(routes!(cancel_order), Access::Organizer(Scope::Sales), Checkout::NAME).critical_with(Proof::Organizer),
    ]
}

/// An order in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderLineDto {
    #[schema(value_type = String)]
    id: OrderId,
    #[schema(value_type = String)]
    event: EventId,
    #[schema(value_type = String)]
    state: OrderState,
    name: String,
    email: String,
    total: MoneyDto,
    /// True: the provider refused a refund of the order, and a person must handle it.
    refund_failed: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn line(order: Order, refund_failed: bool) -> OrderLineDto {
    OrderLineDto {
        id: order.id,
        event: order.event,
        state: order.state,
        name: order.buyer.name,
        email: order.buyer.email,
        total: order.total.into(),
        refund_failed,
        created_at: order.created_at,
    }
}

/// The requested orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrdersParams {
    /// Of this event only.
    #[param(value_type = Option<String>)]
    event: Option<EventId>,
    /// The cursor that the page before had as `next`.
    #[param(value_type = Option<String>)]
    after: Option<Uuid>,
    /// How many items, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The organization's orders, oldest first.
#[utoipa::path(get, path = "/api/v1/orders", params(OrdersParams), tag = "sales",
    responses((status = 200, body = ListDto<OrderLineDto>), (status = 403, body = Problem)))]
pub async fn list_orders(
    State(checkout): State<Arc<Checkout>>,
    State(payments): State<Arc<Payments>>,
    caller: Organizer,
    QueryParams(params): QueryParams<OrdersParams>,
) -> HandlerResult<Json<ListDto<OrderLineDto>>> {
    let page = ListParams { after: params.after, limit: params.limit }.page()?;
    let found = checkout.orders.orders(caller.organization, params.event, page).await?;
    let ids: Vec<OrderId> = found.items.iter().map(|order| order.id).collect();
    let refused = payments.store.orders_with_refused_refunds(caller.organization, &ids).await?;
    Ok(Json(ListDto::of(found, |order| {
        let refund_failed = refused.contains(&order.id);
        line(order, refund_failed)
    })))
}

/// Cancels an unpaid order; its places are freed once its provider confirmed that nothing will be charged.
#[utoipa::path(post, path = "/api/v1/orders/{order}/cancel", params(("order" = String, Path)), tag = "sales",
    responses((status = 200, body = OrderDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn cancel_order(
    State(web): State<Web>,
    caller: Organizer,
    PathId(order): PathId<OrderId>,
) -> HandlerResult<Json<OrderDto>> {
    let command = web.slices.checkout.cancel_order(caller.organization, order);
    let detail = caller.act("order.cancel", order, command).await?;
    Ok(Json(order_now(&web, &detail)))
}
