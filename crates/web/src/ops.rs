//! For whoever operates this: is it alive, can it serve, what does it measure, what does it offer.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use voelgoed_resilience::{Answer, Capability};

use crate::state::Web;

/// The operator's routes.
pub fn routes() -> Router<Web> {
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).route("/metrics", get(metrics))
}

/// The process answers; restart it only where this does not.
async fn livez() -> &'static str {
    "ok\n"
}

/// What is possible now, by the capability table. 503 only where even browsing is not, or while the node drains: a degraded node still serves.
async fn readyz(State(web): State<Web>) -> Response {
    let readiness = web.capabilities.current();
    let browses = !matches!(web.capabilities.may(Capability::Browse), Answer::Refused { .. });
    let ready = browses && !web.stopping.is_cancelled();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// Prometheus text.
async fn metrics(State(web): State<Web>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], web.exporter.render()).into_response()
}
