//! The router: every route, and what stands before it.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use voelgoed_domain::refusal::{Code, Refusal};

use crate::api::{self, openapi};
use crate::extract::{AnyCharacters, LargestBody, SessionLayer};
use crate::last_known::organizer_lists;
use crate::layers::request_layer;
use crate::precompressed::{Precompressed, compress_large, compressible_at_once};
use crate::problem::Failure;
use crate::rendered::json;
use crate::state::Web;
use crate::{ops, pages};

/// Every route, ready to serve.
pub fn router(web: Web) -> Router {
    let (buyers, _) = api::buyer_routes().split_for_parts();
    let (others, _) = api::other_routes().split_for_parts();
    let (plans, _) = api::plan_routes().split_for_parts();
    let (scans, _) = api::scan_routes().split_for_parts();
    let document = Arc::new(Precompressed::new(json(&document()), "application/json"));
    // As one layer: each layer of a router is a box of its own, which every request clones with all that is in it.
    let around = ServiceBuilder::new()
        // Outermost: an error is a page for whoever asked for one.
        .layer(middleware::from_fn(pages::error_pages))
        // Span, deadline, load shed, metrics, security headers.
        .layer(middleware::from_fn_with_state(web.clone(), request_layer))
        .layer(middleware::from_fn_with_state(web.clone(), compress_large))
        .layer(CompressionLayer::new().compress_when(compressible_at_once()));
    let largest_plan = LargestBody::plan(&web);
    Router::new()
        // Buyers: a session from the first contact on.
        .merge(buyers.merge(pages::routes()).layer(SessionLayer(web.clone())))
        // Organizers, devices, providers: each by its own credentials.
        // Organizers' lists go on from memory while their store is away.
        .merge(
            others
                .merge(plans.layer(Extension(largest_plan)))
                .merge(scans.layer(Extension(AnyCharacters)))
                .layer(middleware::from_fn_with_state(web.clone(), organizer_lists)),
        )
        .merge(ops::public_routes())
        .route("/api/v1/openapi.json", get(move |headers: HeaderMap| async move { document.answer(&headers) }))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_like_this)
        .layer(around)
        .with_state(web)
}

/// What the internal listener serves: health, metrics, and every call that needs the operator's key. Nothing of it is on the public listener.
pub fn internal_router(web: Web) -> Router {
    let (operators, _) = api::operator_routes().split_for_parts();
    ops::routes()
        .merge(operators)
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_like_this)
        .layer(middleware::from_fn_with_state(web.clone(), request_layer))
        .with_state(web)
}

async fn nothing_here() -> Response {
    Failure::from(Refusal::not_found()).into_response()
}

async fn not_like_this() -> Response {
    Failure::from(Refusal::new(Code::MethodNotAllowed, "This is here, but not with this method.")).into_response()
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let routes = OpenApiRouter::with_openapi(openapi::Document::openapi())
        .merge(api::buyer_routes())
        .merge(api::other_routes())
        .merge(api::plan_routes())
        .merge(api::scan_routes())
        .merge(api::operator_routes());
    let mut document = routes.into_openapi();
    openapi::complete(&mut document);
    document
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use tower_http::compression::predicate::Predicate;
    use voelgoed_domain::refusal::Refusal;

    use super::*;

    #[test]
    fn an_error_reaches_the_layer_that_makes_pages_as_it_was_written() {
        let error = Failure::from(Refusal::not_found()).into_response();
        assert!(!compressible_at_once().should_compress(&error), "every browser asks for compression");
        let list = Json(vec!["a list that is long enough to be worth it"; 10]).into_response();
        assert!(compressible_at_once().should_compress(&list));
    }
}
