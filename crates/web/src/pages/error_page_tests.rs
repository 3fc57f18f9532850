//! Checks that one failure becomes a page for a browser and a problem document for a program.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};
use tower::ServiceExt;
use voelgoed_app::error::Fault;
use voelgoed_domain::refusal::{Code, Refusal};

use super::error_page::with_recovery_link;
use super::error_pages;
use crate::problem::Failure;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn failing_router(failure: fn() -> Failure) -> Router {
    let handler = move || async move { with_recovery_link(failure(), "/events/evt_1?keep=1,2".to_owned(), HOSTILE) };
    Router::new()
        .route("/page", get(handler))
        .route("/api/v1/thing", get(handler))
        .layer(middleware::from_fn(error_pages))
}

async fn get_page(router: Router, path: &str, accept: &str) -> (Response<()>, String) {
    let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, 100_000).await.unwrap().to_vec()).unwrap();
    (Response::from_parts(parts, ()), text)
}

#[tokio::test]
async fn each_kind_of_failure_is_a_page_with_its_status_and_advice() {
    for (failure, status, words) in [
        ((|| Refusal::not_found().into()) as fn() -> Failure, StatusCode::NOT_FOUND, "Nothing here"),
        (|| Refusal::new(Code::HoldExpired, HOSTILE).into(), StatusCode::GONE, "Your time ran out"),
        (|| Refusal::new(Code::RateLimited, HOSTILE).into(), StatusCode::TOO_MANY_REQUESTS, "A little slower, please"),
        (|| Refusal::try_again(7, HOSTILE).into(), StatusCode::SERVICE_UNAVAILABLE, "about 7 seconds"),
        (|| Refusal::invalid(HOSTILE, HOSTILE).into(), StatusCode::BAD_REQUEST, "That did not fit"),
        (|| Fault::internal("secret words").into(), StatusCode::INTERNAL_SERVER_ERROR, "Something broke on our side"),
    ] {
        let (head, html) = get_page(failing_router(failure), "/page", "text/html,*/*").await;
        assert_eq!((head.status(), html.contains(words)), (status, true), "{html}");
        assert!(head.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        assert!(html.contains("href=\"/events/evt_1?keep=1,2\""), "the recovery link is offered");
        assert!(!html.contains("<script>alert") && !html.contains("secret words"), "{html}");
    }
}

#[tokio::test]
async fn api_paths_and_programs_get_the_problem_document() {
    for (path, accept) in [("/page", "application/json"), ("/page", "*/*"), ("/api/v1/thing", "text/html")] {
        let (head, body) = get_page(failing_router(|| Refusal::try_again(7, "Later.").into()), path, accept).await;
        assert_eq!(head.headers()[header::CONTENT_TYPE], "application/problem+json", "{path} {accept}");
        assert_eq!(head.headers()[header::RETRY_AFTER], "7");
        assert!(body.contains("\"try_again\""), "{body}");
    }
}
