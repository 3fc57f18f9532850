//! An order, followed live: its buyer hears of a payment when it is made.
//!
//! Never: a frame that says what the one before it said. A signal may be lost with the store that carries it, so whoever waits for a payment also
//! looks by themselves now and then.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use voelgoed_app::checkout::ports::{Order, OrderDetail};
use voelgoed_app::checkout::read_order::scope_of_token;
use voelgoed_app::checkout::view_order::{SEEN_WITHIN, view_order};
use voelgoed_app::checkout::watch::OrderWatcher;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_resilience::Deadline;
use voelgoed_telemetry::metrics::http::sale_request;
use voelgoed_telemetry::touch;

use super::orders::rendered;
use super::sse::{beating, frame, sse};
use crate::extract::{BuyerToken, ClientAddress, PathId};
use crate::problem::{Answer, Problem};
use crate::rendered::try_json;
use crate::state::Web;
use crate::streams::StreamOf;

/// Whatever becomes of signals, whoever waits for a payment hears of it within so long.
const LOOKS_BY_ITSELF: Duration = Duration::from_secs(15);

/// Server-sent events: `order` with the whole order, at once and whenever it changes.
#[utoipa::path(get, path = "/api/v1/orders/{order}/stream", params(("order" = String, Path)), tag = "checkout",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn stream(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    ClientAddress(address): ClientAddress,
    token: BuyerToken,
) -> Answer<Response> {
    let scope = scope_of_token(&web.platform, order, &token.0).await?;
    let organization = scope.organization;
    let permit = web.order_streams.enter(StreamOf { address, organization, holder: order.uuid() })?;
    // Watched before the first look, so that no signal falls between.
    let watcher = web.platform.order_watch.watch(scope.organization, order);
    let shown = view_order(&web.platform, scope.organization, order).await?;
    let first = event_frame(&web, &shown).await?;
    let stopping = web.stopping.clone();
    let follower = Follower { web, watcher, shown, patience: SEEN_WITHIN };
    let later = stream::unfold(follower, |mut follower| async move {
        // Where it cannot be read now, the stream ends and the browser comes again.
        let frame = follower.next().await.ok()?;
        Some((frame, follower))
    });
    let frames = stream::iter([first]).chain(later);
    Ok(sse(permit.kept_by(beating(frames)), stopping))
}

/// Somebody who follows an order.
struct Follower {
    web: Web,
    watcher: OrderWatcher,
    shown: Arc<OrderDetail>,
    /// How long it waits for a signal before it looks by itself.
    patience: Duration,
}

impl Follower {
    /// The order as soon as it is another than the one that was shown.
    async fn next(&mut self) -> Answer<Bytes> {
        loop {
            let told = self.watcher.changed();
            if self.shown.order.state == OrderState::AwaitingPayment {
                // The first look may have been at what was kept from before a change; later a signal may be lost with the store that carries it.
                let _told_or_not = Deadline::within(self.patience).wrap(told).await;
                self.patience = LOOKS_BY_ITSELF;
            } else {
                told.await;
            }
            let Order { organization, id, .. } = self.shown.order;
            let (seen, touched) = touch::observe(view_order(&self.web.platform, organization, id)).await;
            // A look is a request of the sale, whoever asks for it.
            sale_request(touched);
            let seen = seen?;
            if seen != self.shown {
                self.shown = seen;
                return event_frame(&self.web, &self.shown).await;
            }
        }
    }
}

async fn event_frame(web: &Web, detail: &OrderDetail) -> Answer<Bytes> {
    Ok(frame("order", &String::from_utf8_lossy(&try_json(&rendered(web, detail))?)))
}
