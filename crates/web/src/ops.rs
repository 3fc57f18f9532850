//! Health and metrics for operators: `/livez` on both listeners, `/readyz` and `/metrics` on the internal one.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use voelgoed_resilience::health::Readiness;
use voelgoed_resilience::{Answer, Capability};

use crate::state::Web;

/// What anybody may ask: whether the process answers.
pub fn public_routes() -> Router<Web> {
    Router::new().route("/livez", get(livez))
}

/// The operator's routes.
pub fn routes() -> Router<Web> {
    public_routes().route("/readyz", get(readyz)).route("/metrics", get(metrics))
}

/// The process answers; restart it only where this does not.
async fn livez() -> &'static str {
    "ok\n"
}

/// What `/readyz` says.
#[derive(Serialize)]
struct Ready {
    /// Which node says so.
    node: String,
    /// True while the node is about to stop.
    leaving: bool,
    #[serde(flatten)]
    readiness: Readiness,
    /// The nodes that live, as this one last read them.
    nodes: Vec<Member>,
    /// When that was; absent before the first read.
    nodes_at: Option<String>,
}

/// A node.
#[derive(Serialize)]
struct Member {
    id: String,
    role: String,
    address: String,
    version: String,
    started_at: String,
}

/// What is possible now, by the capability table. 503 only where even browsing is not, or while the node leaves: a degraded node still serves.
async fn readyz(State(web): State<Web>) -> Response {
    let browses = !matches!(web.capabilities.may(Capability::Browse), Answer::Refused { .. });
    let leaving = web.leaving.is_cancelled();
    let status = if browses && !leaving { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let known = web.members.known();
    let nodes = known.nodes.iter().map(|node| Member {
        id: node.id.to_string(),
        role: node.role.clone(),
        address: node.address.clone(),
        version: node.version.clone(),
        started_at: node.started_at.to_string(),
    });
    let nodes_at = known.at.map(|at| at.to_string());
    let ready = Ready {
        node: web.node.to_string(),
        leaving,
        readiness: web.capabilities.current(),
        nodes: nodes.collect(),
        nodes_at,
    };
    (status, Json(ready)).into_response()
}

/// Prometheus text.
async fn metrics(State(web): State<Web>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], web.exporter.render()).into_response()
}
