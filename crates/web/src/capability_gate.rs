//! Refuses a request whose route needs a capability that the table refuses now, before its body is read, so that a refusal costs next to nothing (P10).
//!
//! A repeat of an order that this node took already goes on, to its stored answer. Commands check again: the CLI and jobs do not pass this layer.
//! Never: a refusal of its own; code, time and text come from the capability table. Forms of pages are not gated here: a person sees more than a code.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::resilience::capability_refused;

use crate::extract::KEY_HEADER;
use crate::problem::Failure;
use crate::routes::RouteSpec;
use crate::state::Web;

/// The refusal of a request whose capability is refused now; none where the request goes on.
pub fn refusal(web: &Web, spec: Option<&RouteSpec>, headers: &HeaderMap) -> Option<Response> {
    let required = spec?.capability?;
    let refused = web.slices.context.require(required).err()?;
    // The command itself refuses the request where no answer is stored.
    if required == Capability::OrderAndPay && repeats(web, headers) {
        return None;
    }
    capability_refused(required.as_str());
    Some(Failure::from(refused).into_response())
}

/// Whether this may repeat an order whose answer was lost.
fn repeats(web: &Web, headers: &HeaderMap) -> bool {
    let key = headers.get(KEY_HEADER).and_then(|key| key.to_str().ok());
    key.is_some_and(|key| web.slices.checkout.may_have_stored_answer(key))
}
