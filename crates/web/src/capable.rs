//! The capability table before anything else of a command: what is not possible now is refused before a body is read, a token checked, a limit counted
//! or a session made, so that a refusal costs next to nothing (P10). Only an order that this node took already goes on, to its stored answer.
//! Commands ask the table again, for whoever comes by another way.
//!
//! Never: an answer of its own; code, time and words are the platform's. Forms of pages are not here: a person is shown more than a code.
//! To add a command: its line in [`NEEDS`].

use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use voelgoed_app::checkout::placed_order_keys::may_be_answered;
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::resilience::capability_refused;

use crate::extract::KEY_HEADER;
use crate::problem::Failure;
use crate::state::Web;

/// What each command of the API needs.
const NEEDS: &[(Method, &str, Capability)] = &[
    (Method::POST, "/api/v1/events/{event}/holds", Capability::Hold),
    (Method::PATCH, "/api/v1/holds/{hold}", Capability::Hold),
    (Method::POST, "/api/v1/orders", Capability::OrderAndPay),
    (Method::POST, "/api/v1/orders/{order}/payments", Capability::IssueAndRefund),
    (Method::POST, "/api/v1/orders/{order}/refunds", Capability::IssueAndRefund),
    (Method::POST, "/api/v1/scans", Capability::Scan),
    (Method::POST, "/api/v1/providers/{name}/callback", Capability::Callbacks),
];

/// The refusal of a request whose capability is away; none where it may go on.
pub fn refusal(web: &Web, method: &Method, route: &str, headers: &HeaderMap) -> Option<Response> {
    if *method == Method::GET {
        return None;
    }
    let (_, _, needed) = NEEDS.iter().find(|(needs, path, _)| needs == method && *path == route)?;
    let refused = web.platform.capable(*needed).err()?;
    // The command itself refuses it where nothing was answered before.
    if *needed == Capability::OrderAndPay && repeats(web, headers) {
        return None;
    }
    capability_refused(needed.as_str());
    Some(Failure::from(refused).into_response())
}

/// Whether this may be an order that was taken already and whose answer was lost.
fn repeats(web: &Web, headers: &HeaderMap) -> bool {
    let key = headers.get(KEY_HEADER).and_then(|key| key.to_str().ok());
    key.is_some_and(|key| may_be_answered(&web.platform, key))
}

#[cfg(test)]
mod tests {
    use super::NEEDS;
    use crate::access::ROUTES;

    #[test]
    fn every_line_names_a_route() {
        for (method, path, _) in NEEDS {
            assert!(ROUTES.iter().any(|(known, route, _)| known == method && route == path), "{method} {path}");
        }
    }
}
