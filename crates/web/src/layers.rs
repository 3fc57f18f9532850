//! What stands before every handler.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_body_util::{BodyExt, Limited};
use tracing::Instrument;
use voelgoed_app::error::Fault;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::{Criticality, Deadline};
use voelgoed_telemetry::{metrics, spans, touch};

use crate::capable;
use crate::problem::Failure;
use crate::state::Web;

/// A body that nobody wants is taken in for at most so long.
const HEARD_OUT_WITHIN: Duration = Duration::from_secs(2);
/// Headers of every answer; pages add their own.
const SECURITY: &[(HeaderName, &str)] = &[
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         form-action 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
];

/// The whole of a request: a span, a deadline, a place among those in flight; its metrics, and no panic past this point.
pub async fn request_layer(State(web): State<Web>, request: Request, next: Next) -> Response {
    let started = started();
    let _in_flight = metrics::http::in_flight();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let id = web.platform.environment.uuid().simple().to_string();
    let span = spans::http_request(slice_of(&route), method.as_str(), &route, &id);
    let refused = capable::refusal(&web, &method, &route, request.headers());
    let admitted = web.load_shed.admit(criticality(&method, &route));
    let answer = async {
        if let Some(refused) = refused {
            hear_out(&web, request).await;
            return refused;
        }
        let _place = match admitted {
            Ok(place) => place,
            Err(shed) => {
                hear_out(&web, request).await;
                let seconds = shed.retry_after.as_seconds();
                let refusal =
                    Refusal::new(Code::Overloaded, "Too much is asked of this node right now. Try again in a moment.");
                return Failure::from(refusal.with(|evidence| evidence.retry_after = Some(seconds))).into_response();
            }
        };
        let run = AssertUnwindSafe(next.run(request)).catch_unwind();
        // A stream's answer begins at once; its frames are not part of the request.
        let deadline = Deadline::within(web.settings.request_deadline);
        match deadline.carry(run).await {
            Ok(Ok(response)) => response,
            Ok(Err(_panic)) => Failure::from(Fault::internal("a handler panicked")).into_response(),
            Err(_late) => {
                tracing::warn!("the request took too long");
                let refusal = Refusal::try_again(2, "This took too long. Repeat it with the same Idempotency-Key.");
                Failure::from(refusal).into_response()
            }
        }
    };
    let (mut response, touched) = touch::observe(answer.instrument(span)).await;
    let took = started.elapsed();
    metrics::http::http_request(&route, method.as_str(), response.status().as_u16(), took);
    if is_of_a_sale(&route) {
        metrics::http::sale_request(touched);
    }
    let headers = response.headers_mut();
    headers.reserve(SECURITY.len() + 1);
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// Takes in what the client is still sending: a connection that is closed on unread bytes takes the answer with it.
async fn hear_out(web: &Web, request: Request) {
    let mut body = Limited::new(request.into_body(), web.settings.largest_body);
    let heard = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever sends too much, or too slowly, is not waited for.
    let _late = Deadline::within(HEARD_OUT_WITHIN).wrap(heard).await;
}

#[expect(clippy::disallowed_methods, reason = "measures how long a request took; decides nothing")]
fn started() -> Instant {
    Instant::now()
}

/// Overload sheds from the right: scan, pay > hold > browse > reports.
fn criticality(method: &Method, route: &str) -> Criticality {
    let writes = *method != Method::GET;
    let scans = route.starts_with("/api/v1/scans") && writes || route.starts_with("/api/v1/devices");
    let lists_orders = !writes && route == "/api/v1/orders";
    let pays = (route.contains("/orders") || route.contains("/providers")) && !lists_orders;
    // Whoever looks after the node must see it when it is overloaded.
    let operates = matches!(route, "/livez" | "/readyz" | "/metrics");
    if scans || pays || operates {
        Criticality::ScanOrPay
    } else if route.contains("/holds") {
        Criticality::Hold
    } else if lists_orders
        || route.contains("/organization")
        || route.contains("/ledger")
        || route.contains("/audit")
        || route.contains("/funnel")
        || route.starts_with("/api/v1/scans")
    {
        Criticality::Report
    } else {
        Criticality::Browse
    }
}

/// The requests that P11 counts.
fn is_of_a_sale(route: &str) -> bool {
    if route.ends_with("/funnel") {
        return false;
    }
    let buyer = ["/api/v1/events/{event}", "/api/v1/holds", "/api/v1/orders", "/events/{event}", "/holds", "/orders"];
    buyer.iter().any(|start| route.starts_with(start))
}

fn slice_of(route: &str) -> &'static str {
    const SLICES: &[(&str, &str)] = &[
        ("/availability", "ticketing"),
        ("/funnel", "analytics"),
        ("/stream", "ticketing"),
        ("/holds", "ticketing"),
        ("/blocks", "ticketing"),
        ("/refunds", "payments"),
        ("/payments", "payments"),
        ("/providers", "payments"),
        ("/orders", "checkout"),
        ("/tickets", "checkout"),
        ("/scans", "scanning"),
        ("/devices", "scanning"),
        ("/gates", "scanning"),
        ("/conflicts", "scanning"),
        ("/ledger", "ledger"),
        ("/members", "accounts"),
        ("/api-keys", "accounts"),
        ("/organizations", "accounts"),
        ("/log", "accounts"),
        ("/audit", "accounts"),
    ];
    SLICES.iter().find(|(part, _)| route.contains(part)).map_or("catalog", |(_, slice)| slice)
}
