//! Builds the routers of both listeners and the OpenAPI document from the table of routes.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use tower::ServiceBuilder;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use voelgoed_domain::refusal::{Code, Refusal};

use crate::api::openapi;
use crate::authorize::authorize;
use crate::compression::compress;
use crate::extract::SessionLayer;
use crate::json_bytes::json;
use crate::pages;
use crate::precompressed::Precompressed;
use crate::problem::Failure;
use crate::request_pipeline::request_pipeline;
use crate::routes::{self, Access, Handler, Route};
use crate::stale_fallback::organizer_list_fallback;
use crate::state::Web;

/// The path of the OpenAPI document.
const DOCUMENT_PATH: &str = "/api/v1/openapi.json";

/// The public listener's router.
pub fn public_router(web: Web) -> Router {
    let document = Arc::new(Precompressed::new(json(&openapi_document()), "application/json"));
    // One layer: axum boxes each layer of a router, and every request clones the boxes.
    let around = ServiceBuilder::new()
        // Outermost: browsers get an error as a page.
        .layer(middleware::from_fn(pages::error_pages))
        // Span, deadline, load shed, metrics, security headers.
        .layer(middleware::from_fn_with_state(web.clone(), request_pipeline))
        .layer(middleware::from_fn_with_state(web.clone(), compress));
    let (mut with_session, mut others) = (Router::new(), Router::new());
    for route in routes::all().into_iter().filter(|route| !route.spec.internal) {
        match route.spec.access.has_session() {
            true => with_session = add(with_session, &web, route),
            false => others = add(others, &web, route),
        }
    }
    with_session
        .layer(SessionLayer(web.clone()))
        .merge(others)
        .route(DOCUMENT_PATH, get(move |headers: HeaderMap| async move { document.response(&headers) }))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(around)
        .with_state(web)
}

/// The internal listener's router: health, metrics, and every call that needs the operator's key.
pub fn internal_router(web: Web) -> Router {
    let is_served = |route: &Route| route.spec.internal || route.spec.path == "/livez";
    let routes = routes::all().into_iter().filter(is_served);
    routes
        .fold(Router::new(), |router, route| add(router, &web, route))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(web.clone(), request_pipeline))
        .with_state(web)
}

/// Adds a route behind the layers that its row requires.
fn add(router: Router<Web>, web: &Web, route: Route) -> Router<Web> {
    let Route { spec, handler } = route;
    let handler = match handler {
        Handler::Api(handler) => handler.2,
        Handler::Plain(handler) => *handler,
    };
    let handler = match spec.access {
        Access::Organizer(_) | Access::AnyOrganizer => handler
            // Lists are answered from memory while their store is unavailable.
            .route_layer(middleware::from_fn_with_state(web.clone(), organizer_list_fallback))
            .route_layer(middleware::from_fn_with_state((web.clone(), spec.access), authorize)),
        Access::Device | Access::Operator => {
            handler.route_layer(middleware::from_fn_with_state((web.clone(), spec.access), authorize))
        }
        Access::Anyone
        | Access::Buyer
        | Access::Token
        | Access::TokenInBody
        | Access::TokenOrOrganizer
        | Access::Provider => handler,
    };
    router.route(&spec.path, handler)
}

async fn not_found() -> Response {
    Failure::from(Refusal::not_found()).into_response()
}

async fn method_not_allowed() -> Response {
    Failure::from(Refusal::new(Code::MethodNotAllowed, "This address exists, but not with this method."))
        .into_response()
}

/// The OpenAPI document.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    let mut router = OpenApiRouter::with_openapi(openapi::Document::openapi());
    let mut specs = Vec::new();
    for Route { spec, handler } in routes::all() {
        specs.push(spec);
        if let Handler::Api(handler) = handler {
            router = router.routes(*handler);
        }
    }
    let mut document = router.into_openapi();
    openapi::complete(&mut document, &specs);
    document
}
