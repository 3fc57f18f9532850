//! The layer around every handler: span, metrics, security headers, checks of headers and capability, body, load shed and deadline, in the order of `answer`.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;
use tracing::Instrument;
use voelgoed_app::error::Fault;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::{Deadline, Shed};
use voelgoed_telemetry::{metrics, spans, touch};

use crate::access::scope_of;
use crate::body_pool::PooledBytes;
use crate::criticality::{Class, class, judge};
use crate::extract::{ClientAddress, LargestBody, ReadBody};
use crate::problem::Failure;
use crate::state::Web;
use crate::{capable, host, rates, scope_before_body, single_headers};

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

/// For a year, browsers use TLS without asking; sent where cookies are for TLS only.
const TLS_ONLY: &str = "max-age=31536000";

/// The whole of a request: a span, its body, a deadline, a place among those in flight; its metrics, and no panic past this point.
pub async fn request_layer(State(web): State<Web>, request: Request, next: Next) -> Response {
    let started = started();
    let _in_flight = metrics::http::in_flight();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let id = web.platform.environment.uuid().simple().to_string();
    let span = spans::http_request(slice_of(&route), method.as_str(), &route, &id);
    let answer = answer(&web, &method, &route, request, next);
    let (mut response, touched) = touch::observe(answer.instrument(span)).await;
    let took = started.elapsed();
    metrics::http::http_request(&route, method.as_str(), response.status().as_u16(), took);
    if is_of_a_sale(&route) {
        metrics::http::sale_request(touched);
    }
    let headers = response.headers_mut();
    headers.reserve(SECURITY.len() + 3);
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Whatever does not say that it may be kept is somebody's own.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if web.settings.secure_cookies {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static(TLS_ONLY));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// Lets a request in, in this order: what it is for, what is possible now, its body, its place.
async fn answer(web: &Web, method: &Method, route: &str, request: Request, next: Next) -> Response {
    if let Some(refused) = host::refusal(&request) {
        return refused;
    }
    if let Err(refusal) = single_headers::check(request.headers()) {
        hear_out(web, request).await;
        return Failure::from(refusal).into_response();
    }
    if let Some(refused) = capable::refusal(web, method, route, request.headers()) {
        hear_out(web, request).await;
        return refused;
    }
    let class = class(method, route);
    let (mut parts, body) = request.into_parts();
    let whole = match before_its_place(web, class, route, &mut parts, !body.is_end_stream()).await {
        Ok(Some(largest)) => read(web, &mut parts, body, largest).await,
        Ok(None) => Ok((None, body)),
        Err(refusal) => {
            hear_out(web, Request::from_parts(parts, body)).await;
            return Failure::from(refusal).into_response();
        }
    };
    let (whole, body) = match whole {
        Ok(whole) => whole,
        Err(refusal) => return Failure::from(refusal).into_response(),
    };
    let (bytes, _pooled) = whole.unzip();
    let criticality = judge(web, class, &parts, bytes.as_deref().unwrap_or_default()).await;
    let _place = match criticality.map(|criticality| web.load_shed.admit(criticality)).transpose() {
        Ok(place) => place,
        Err(shed) => {
            hear_out(web, Request::from_parts(parts, body)).await;
            return overloaded(shed);
        }
    };
    run(web, Request::from_parts(parts, body), next).await
}

/// Counts a read against its address, asks the scope of an organizer's credential; how large a body may be that is read before the request takes its
/// place, where one is.
async fn before_its_place(
    web: &Web,
    class: Option<Class>,
    route: &str,
    parts: &mut Parts,
    has_body: bool,
) -> Result<Option<LargestBody>, Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        if matches!(class, Some(Class::Browse) | None) {
            let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
            rates::read(web, &address)?;
        }
        return Ok(None);
    }
    // What no route takes is not read at all.
    if class.is_none() || !has_body {
        return Ok(None);
    }
    let is_allowed = match scope_of(&parts.method, route) {
        Some(scope) => scope_before_body::is_allowed(web, parts, scope).await?,
        None => false,
    };
    if is_plan(route) {
        // Whoever this node does not know yet is asked for a key before a whole seating plan is read.
        return Ok(is_allowed.then(|| LargestBody::plan(web)));
    }
    Ok(Some(LargestBody::usual(web)))
}

type Whole = (Option<(Bytes, PooledBytes)>, Body);

/// The body, for whoever takes it; what is at hand is not read a second time.
async fn read(web: &Web, parts: &mut Parts, body: Body, largest: LargestBody) -> Result<Whole, Refusal> {
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
    let (bytes, pooled) = web.bodies.read(body, largest, address).await?;
    parts.extensions.insert(ReadBody(bytes.clone()));
    Ok((Some((bytes.clone(), pooled)), Body::from(bytes)))
}

fn overloaded(shed: Shed) -> Response {
    let seconds = shed.retry_after.as_seconds();
    let refusal = Refusal::new(Code::Overloaded, "Too much is asked of this node right now. Try again in a moment.");
    Failure::from(refusal.with(|evidence| evidence.retry_after = Some(seconds))).into_response()
}

/// Runs the handler within its deadline.
async fn run(web: &Web, request: Request, next: Next) -> Response {
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
}

/// Routes that take whole seating plans.
fn is_plan(route: &str) -> bool {
    matches!(route, "/api/v1/layouts" | "/api/v1/layouts/import" | "/api/v1/layouts/{layout}/flags")
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
