//! Runs every request through span, metrics, security headers, checks, body, load shed and deadline, in this order.
//!
//! | step | refuses |
//! |---|---|
//! | `host_header`, `single_headers` | a request that a proxy may read otherwise |
//! | `capability_gate` | what the platform cannot do now |
//! | `rate_limits::check_read`, `scope_before_body` | too many reads, a caller without the scope |
//! | `body_reader` | a body that is too large, too slow or too much |
//! | `criticality`, load shed | the least critical requests of an overloaded node |
//! | deadline | a handler that takes too long or panics |

use std::panic::AssertUnwindSafe;
use std::time::Duration;

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
use voelgoed_telemetry::{Stopwatch, metrics, spans, touch};

use crate::body_pool::PooledBytes;
use crate::body_size_limit::BodySizeLimit;
use crate::criticality::criticality_of;
use crate::extract::{ClientAddress, ReadBody};
use crate::problem::Failure;
use crate::routes::{self, BodyRules, Class, PLATFORM, RouteSpec};
use crate::state::Web;
use crate::{capability_gate, host_header, rate_limits, scope_before_body, single_headers};

/// For reading the rest of a refused request's body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Headers of every response; pages add their own.
const SECURITY_HEADERS: &[(HeaderName, &str)] = &[
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         form-action 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
];

/// Browsers use TLS only, for a year; sent where cookies are for TLS only.
const TLS_ONLY: &str = "max-age=31536000";

/// Handles a request within its span, records its metrics, and adds the headers of every response.
pub async fn request_pipeline(State(web): State<Web>, request: Request, next: Next) -> Response {
    let stopwatch = Stopwatch::start();
    let _in_flight = metrics::http::in_flight();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let spec = routes::find(&method, &route);
    let id = web.slices.context.environment.uuid().simple().to_string();
    let slice = spec.map_or(PLATFORM, |spec| spec.slice);
    let span = spans::http_request(slice, method.as_str(), &route, &id);
    let checked = check_and_run(&web, spec, request, next);
    let (mut response, touched) = touch::observe(checked.instrument(span)).await;
    let took = stopwatch.elapsed();
    metrics::http::http_request(&route, method.as_str(), response.status().as_u16(), took);
    if spec.is_some_and(|spec| spec.sale) {
        metrics::http::sale_request(touched);
    }
    let headers = response.headers_mut();
    headers.reserve(SECURITY_HEADERS.len() + 3);
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // A response without a cache policy is private.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if web.settings.secure_cookies {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static(TLS_ONLY));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// Runs the checks of the file's table in order, then the handler.
async fn check_and_run(web: &Web, spec: Option<&'static RouteSpec>, request: Request, next: Next) -> Response {
    if let Some(refused) = host_header::refusal(&request) {
        return refused;
    }
    if let Err(refusal) = single_headers::check(request.headers()) {
        drain_body(web, request).await;
        return Failure::from(refusal).into_response();
    }
    if let Some(refused) = capability_gate::refusal(web, spec, request.headers()) {
        drain_body(web, request).await;
        return refused;
    }
    let class = spec.map(|spec| spec.class);
    let (mut parts, body) = request.into_parts();
    if let Some(spec) = spec {
        parts.extensions.insert(spec);
    }
    let whole = match check_before_body(web, spec, &mut parts, !body.is_end_stream()).await {
        Ok(Some(limit)) => read(web, &mut parts, body, limit).await,
        Ok(None) => Ok((None, body)),
        Err(refusal) => {
            drain_body(web, Request::from_parts(parts, body)).await;
            return Failure::from(refusal).into_response();
        }
    };
    let (whole, body) = match whole {
        Ok(whole) => whole,
        Err(refusal) => return Failure::from(refusal).into_response(),
    };
    let (bytes, _pooled) = whole.unzip();
    let criticality = criticality_of(web, class, &parts, bytes.as_deref().unwrap_or_default()).await;
    let _permit = match criticality.map(|criticality| web.load_shed.admit(criticality)).transpose() {
        Ok(permit) => permit,
        Err(shed) => {
            drain_body(web, Request::from_parts(parts, body)).await;
            return overloaded(shed);
        }
    };
    run(web, Request::from_parts(parts, body), next).await
}

/// Counts a read against its address and checks the scope of an organizer's credential. The size limit of the body, where the body is to be read before
/// the request takes a load-shed permit.
async fn check_before_body(
    web: &Web,
    spec: Option<&RouteSpec>,
    parts: &mut Parts,
    has_body: bool,
) -> Result<Option<BodySizeLimit>, Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        if spec.is_none_or(|spec| spec.class == Class::Browse) {
            let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
            rate_limits::check_read(web, &address)?;
        }
        return Ok(None);
    }
    // A body without a route is not read.
    let Some(spec) = spec.filter(|_| has_body) else { return Ok(None) };
    let has_scope = match spec.access.scope() {
        Some(scope) => scope_before_body::has_scope(web, parts, scope).await?,
        None => false,
    };
    if spec.body == BodyRules::Layout {
        // A seating plan is large: where this node does not know the caller yet, the access layer runs first, and the handler reads the body.
        return Ok(has_scope.then(|| BodySizeLimit::new(&web.settings, Some(spec.body))));
    }
    Ok(Some(BodySizeLimit::new(&web.settings, Some(spec.body))))
}

/// The bytes of a body with their part of the pool, where it was read; and the body for the handler.
type MaybeRead = (Option<(Bytes, PooledBytes)>, Body);

/// Reads the body and leaves it in the request's extensions, so that extractors do not collect it a second time.
async fn read(web: &Web, parts: &mut Parts, body: Body, limit: BodySizeLimit) -> Result<MaybeRead, Refusal> {
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
    let (bytes, pooled) = web.body_reader.read(body, limit, address).await?;
    parts.extensions.insert(ReadBody(bytes.clone()));
    Ok((Some((bytes.clone(), pooled)), Body::from(bytes)))
}

fn overloaded(shed: Shed) -> Response {
    let seconds = shed.retry_after.as_seconds();
    let refusal = Refusal::new(Code::Overloaded, "This node is overloaded. Nothing was done; try again in a moment.");
    Failure::from(refusal.with(|evidence| evidence.retry_after = Some(seconds))).into_response()
}

/// Runs the handler within its deadline.
async fn run(web: &Web, request: Request, next: Next) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    // The response of a stream begins at once; its frames are not part of the request.
    let deadline = Deadline::after_capped(web.settings.request_deadline);
    match deadline.scope(run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => Failure::from(Fault::internal("a handler panicked")).into_response(),
        Err(_late) => {
            tracing::warn!("the request took too long");
            let refusal = Refusal::try_again(
                2,
                "This took too long, and may or may not be done. Repeat it with the same Idempotency-Key.",
            );
            Failure::from(refusal).into_response()
        }
    }
}

/// Reads what the client is still sending: closing a connection with unread bytes would discard the response.
async fn drain_body(web: &Web, request: Request) {
    let mut body = Limited::new(request.into_body(), web.settings.body_bytes_max);
    let drained = async { while let Some(Ok(_)) = body.frame().await {} };
    // A client that sends too much or too slowly may lose its response.
    let _late = Deadline::after_capped(DRAIN_TIMEOUT).timeout(drained).await;
}
