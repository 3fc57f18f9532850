//! Takes callbacks of payment providers about charges, on any node.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use utoipa_axum::routes;
use voelgoed_app::payments::Payments;
use voelgoed_app::payments::ports::CallbackRejected;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::Capability;
use voelgoed_resilience::log_interval::LogInterval;

use crate::extract::read_body;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Proof, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(callback), Access::Provider, Payments::NAME)
            .critical_with(Proof::Provider)
            .requires(Capability::Callbacks),
    ]
}

/// Rejected callbacks are logged once per interval, with their number.
static REJECTED_LOG: LogInterval = LogInterval::new(Duration::from_secs(60));

/// Applies a callback: 204 once it is committed, and the provider repeats it after any other status. A callback that would stay wrong in a repeat (unknown
/// payment, another amount, control characters in the reference) is counted or stored cleaned, and answered 204 as well.
#[utoipa::path(post, path = "/api/v1/providers/{name}/callback", params(("name" = String, Path)), tag = "payments",
    request_body(content = String, content_type = "application/json"),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn callback(State(web): State<Web>, Path(name): Path<String>, request: Request) -> HandlerResult<StatusCode> {
    if web.slices.payments.gateway(&name).is_err() {
        return Err(Refusal::not_found().into());
    }
    let pairs = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers: Vec<(String, String)> = pairs.collect();
    let body = read_body(request, &web).await?;
    match web.slices.payments.handle_callback(&name, &headers, &body).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(rejected @ (CallbackRejected::Forged | CallbackRejected::Stale)) => {
            // Any client can send these; each is counted by `voelgoed_provider_callbacks_total`.
            if let Some(suppressed) = REJECTED_LOG.due() {
                tracing::warn!(provider = name, %rejected, suppressed, slice = "payments", "callbacks were rejected");
            }
            Err(Refusal::new(Code::Unauthenticated, "The signature or its time is not valid.").into())
        }
        Err(CallbackRejected::NotOurs) => Ok(StatusCode::NO_CONTENT),
        Err(CallbackRejected::Malformed) => Err(Refusal::invalid("body", "Not a callback of this provider.").into()),
    }
}
