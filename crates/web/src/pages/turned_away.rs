//! Errors for people: what happened and what to do next, with the status that the API would give.
//!
//! Handlers of pages fail like those of the API; this layer turns `application/problem+json` into a page for whoever asked for HTML.
//! Never: an error page of its own beside this one. To word a code better: its line in [`words`].

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::shell::{Shell, page};
use crate::problem::{Failure, PROBLEM_JSON};

/// Where a person may go on after an error.
#[derive(Debug, Clone)]
pub struct WayBack {
    /// The address.
    pub href: String,
    /// What the link says.
    pub label: String,
}

/// A failure with a way on.
pub fn with_way_back(failure: Failure, href: String, label: &str) -> Response {
    let mut response = failure.into_response();
    response.extensions_mut().insert(WayBack { href, label: label.to_owned() });
    response
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    heading: &'static str,
    advice: &'static str,
    detail: String,
    code: String,
    retry_after: Option<String>,
    way: WayBack,
}

/// Turns errors into pages for whoever asked for a page.
pub async fn error_pages(request: Request, next: Next) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_page =
        accepts.is_some_and(|list| list.contains("text/html")) && !request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if wants_page && is_problem { turn(response).await } else { response }
}

async fn turn(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // Written by ourselves a moment ago: small, and in memory.
    let Ok(body) = body.collect().await else { return (parts, Body::empty()).into_response() };
    let bytes = body.to_bytes();
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return (parts, Body::from(bytes)).into_response();
    };
    let retry_after = parts.headers.get(header::RETRY_AFTER).cloned();
    let (heading, advice) = words(&problem.code, parts.status);
    let way = parts.extensions.remove::<WayBack>();
    let template = ErrorPage {
        shell: Shell::new(heading),
        status: parts.status.as_u16(),
        heading,
        advice,
        detail: problem.detail,
        code: problem.code,
        retry_after: retry_after.as_ref().and_then(|value| value.to_str().ok()).map(str::to_owned),
        way: way.unwrap_or_else(|| WayBack { href: "/".to_owned(), label: "See all events".to_owned() }),
    };
    let mut page = page(parts.status, &template);
    // Cookies and the rest stay; what described the JSON goes.
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CACHE_CONTROL);
    page.headers_mut().extend(parts.headers);
    page
}

/// A heading and advice for a code, or for its status.
fn words(code: &str, status: StatusCode) -> (&'static str, &'static str) {
    match code {
        "hold_expired" => {
            ("Your time ran out", "The places are free again. You can choose once more; nothing was charged.")
        }
        "hold_lost" => (
            "Your places were let go",
            "Something on our side broke while they were kept for you. Nothing was charged. Please choose again.",
        ),
        "place_taken" => {
            ("Somebody was faster", "Nothing was charged. Choose other places; the rest of your choice is kept.")
        }
        "sold_out" => (
            "Not enough places there",
            "Try fewer places or another area. Places come back when others let go of them.",
        ),
        "sale_closed" => ("Not on sale right now", "Have a look at the event for when the sale opens."),
        "payment_unresolved" => {
            ("A payment is still running", "We are waiting for the provider's answer, so that you never pay twice.")
        }
        "not_payable" => ("There is nothing to pay", "Look at your order: it is paid already, or over."),
        "csrf_mismatch" => ("This form came from elsewhere", "Open the page again here, and repeat."),
        "rate_limited" => ("A little slower, please", "Wait a moment, then try again. Your places are not affected."),
        "overloaded" => ("Very busy right now", "Many people are here at once. Try again in a moment."),
        "internal" => {
            ("Something broke on our side", "It has been noted. Try again; an order that was confirmed is safe.")
        }
        _ => match status {
            StatusCode::NOT_FOUND => ("Nothing here", "The link may be incomplete, or what it led to is gone."),
            StatusCode::GONE => ("This is over", "It was here, and is no more."),
            StatusCode::TOO_MANY_REQUESTS => ("A little slower, please", "Wait a moment, then try again."),
            StatusCode::SERVICE_UNAVAILABLE => ("Not possible right now", "Try again in a moment."),
            StatusCode::BAD_REQUEST => ("That did not fit", "Go back, correct it, and send it again."),
            _ => ("That was not possible", "Nothing was changed."),
        },
    }
}
