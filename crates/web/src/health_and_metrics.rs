//! Serves health and metrics to operators: `/livez` on both listeners, `/readyz` and `/metrics` on the internal one.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use voelgoed_resilience::health::Readiness;
use voelgoed_resilience::{Capability, CapabilityAnswer};

use crate::routes::{Access, Class, PLATFORM, Route, plain};
use crate::state::Web;

/// The routes of operators; the public listener serves `/livez` alone.
pub fn routes() -> Vec<Route> {
    let get_of = |path, handler| plain(Method::GET, path, handler, Access::Anyone, PLATFORM);
    vec![
        get_of("/livez", get(livez)).class(Class::Health),
        get_of("/readyz", get(readyz)).class(Class::Health).internal(),
        get_of("/metrics", get(metrics)).class(Class::Health).internal(),
    ]
}

/// Answers as long as the process runs; restart it only where this does not answer.
async fn livez() -> &'static str {
    "ok\n"
}

/// The body of `/readyz`.
#[derive(Serialize)]
struct Ready {
    /// The node that answered.
    node: String,
    /// True while the node is about to stop.
    leaving: bool,
    #[serde(flatten)]
    readiness: Readiness,
    /// The nodes with a heartbeat, as this one last read them.
    nodes: Vec<Member>,
    /// The time of that read; absent before the first one.
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

/// The capability table and the nodes. 503 only where even browsing is refused, or while the node leaves: a degraded node still serves.
async fn readyz(State(web): State<Web>) -> Response {
    let browses = !matches!(web.capabilities.may(Capability::Browse), CapabilityAnswer::Refused { .. });
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
