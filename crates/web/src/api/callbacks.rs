//! Providers tell of charges; on any node.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use voelgoed_app::payments::callback::callback as callback_command;
use voelgoed_app::payments::ports::CallbackRejected;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::log_interval::LogInterval;

use crate::extract::bytes;
use crate::problem::{Answer, Problem};
use crate::state::Web;

/// Callbacks that are not believed are logged once in so long, with their number.
static REJECTED_LINES: LogInterval = LogInterval::new(Duration::from_secs(60));

/// Takes a callback in: 204 once it is committed, so that anything else makes the provider repeat it. What can never become right (a payment that
/// is not here, another amount, a reference with control characters) is counted or stored without them, and answered 204 as well.
#[utoipa::path(post, path = "/api/v1/providers/{name}/callback", params(("name" = String, Path)), tag = "payments",
    request_body(content = String, content_type = "application/json"),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn callback(State(web): State<Web>, Path(name): Path<String>, request: Request) -> Answer<StatusCode> {
    if web.platform.gateway(&name).is_err() {
        return Err(Refusal::not_found().into());
    }
    let pairs = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers: Vec<(String, String)> = pairs.collect();
    let body = bytes(request, &web).await?;
    match callback_command(&web.platform, &name, &headers, &body).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(rejected @ (CallbackRejected::Forged | CallbackRejected::Stale)) => {
            // Anybody can send these; each is counted by `voelgoed_provider_callbacks_total`.
            if let Some(suppressed) = REJECTED_LINES.due() {
                tracing::warn!(provider = name, %rejected, suppressed, slice = "payments", "callbacks were not believed");
            }
            Err(Refusal::new(Code::Unauthenticated, "The signature or its time does not fit.").into())
        }
        Err(CallbackRejected::NotOurs) => Ok(StatusCode::NO_CONTENT),
        Err(CallbackRejected::Malformed) => Err(Refusal::invalid("body", "Not a callback of this provider.").into()),
    }
}
