//! Streams the state of an order to its buyer: sends the order at once and after each change.
//!
//! Never: two equal frames in a row. A signal may be lost with the store that carries it, so the stream of an unpaid order also reads the order at an
//! interval.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use utoipa_axum::routes;
use voelgoed_app::checkout::Checkout;
use voelgoed_app::checkout::order_watch::OrderWatcher;
use voelgoed_app::checkout::ports::{Order, OrderDetail};
use voelgoed_app::checkout::view_order::ORDER_VIEW_AGE_MAX;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_resilience::Deadline;
use voelgoed_telemetry::metrics::http::sale_request;
use voelgoed_telemetry::touch;

use super::orders::order_now;
use super::sse::{frame, sse, with_heartbeat};
use crate::extract::{BuyerToken, ClientAddress, PathId};
use crate::json_bytes::try_json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Proof, Route, api};
use crate::state::Web;
use crate::stream_permits::StreamOwner;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(stream), Access::Token, Checkout::NAME).critical_with(Proof::Token).of_a_sale()]
}

/// Between two reads of an unpaid order without a signal.
const REFRESH_INTERVAL: Duration = Duration::from_secs(15);

/// Server-sent events: `order` with the whole order, at once and whenever it changes.
#[utoipa::path(get, path = "/api/v1/orders/{order}/stream", params(("order" = String, Path)), tag = "checkout",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn stream(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    ClientAddress(address): ClientAddress,
    token: BuyerToken,
) -> HandlerResult<Response> {
    let scope = web.slices.checkout.scope_of_token(order, &token.0).await?;
    let organization = scope.organization;
    let permit = web.order_streams.acquire(StreamOwner { address, organization, holder: order.uuid() })?;
    // Watches before the first read, so that no signal in between is missed.
    let watcher = web.slices.checkout.watch.watch(scope.organization, order);
    let shown = web.slices.checkout.view_order(scope.organization, order).await?;
    let first = event_frame(&web, &shown).await?;
    let stopping = web.stopping.clone();
    let follower = OrderFollower { web, watcher, shown, signal_timeout: ORDER_VIEW_AGE_MAX };
    let later = stream::unfold(follower, |mut follower| async move {
        // Where the order cannot be read, the stream ends and the browser reconnects.
        let frame = follower.next().await.ok()?;
        Some((frame, follower))
    });
    let frames = stream::iter([first]).chain(later);
    Ok(sse(permit.guard(with_heartbeat(frames)), stopping))
}

/// The stream of one order.
struct OrderFollower {
    web: Web,
    watcher: OrderWatcher,
    shown: Arc<OrderDetail>,
    /// The wait for a signal before the order is read without one.
    signal_timeout: Duration,
}

impl OrderFollower {
    /// The next frame, once the order differs from the last one that was sent.
    async fn next(&mut self) -> HandlerResult<Bytes> {
        loop {
            let changed = self.watcher.changed();
            if self.shown.order.state == OrderState::AwaitingPayment {
                // The first read may be of a cached order; later a signal may be lost with the store that carries it.
                let _changed_or_late = Deadline::after_capped(self.signal_timeout).timeout(changed).await;
                self.signal_timeout = REFRESH_INTERVAL;
            } else {
                changed.await;
            }
            let Order { organization, id, .. } = self.shown.order;
            let (detail, touched) = touch::observe(self.web.slices.checkout.view_order(organization, id)).await;
            // Each read counts as a request of the sale, like a reload of the page.
            sale_request(touched);
            let detail = detail?;
            if detail != self.shown {
                self.shown = detail;
                return event_frame(&self.web, &self.shown).await;
            }
        }
    }
}

async fn event_frame(web: &Web, detail: &OrderDetail) -> HandlerResult<Bytes> {
    Ok(frame("order", &String::from_utf8_lossy(&try_json(&order_now(web, detail))?)))
}
