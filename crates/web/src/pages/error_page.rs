//! Replaces a problem document by an HTML page with the same status, for requests that accept HTML: what happened and what to do next.
//!
//! Handlers of pages fail like handlers of the API; this layer renders their failures.
//! Never: another error page, a page without a link to go on. To word a code: its line in [`heading_and_advice`] or in `refusal_sentences`.

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Deserialize;
use voelgoed_domain::refusal::Code;

use super::page_layout::{PageLayout, html_page};
use super::refusal_sentences;
use crate::problem::{Failure, PROBLEM_JSON};

/// Seconds before a page reloads by itself.
const REFRESH_SECONDS_MIN: u32 = 5;

/// The link of an error page to a page that works.
#[derive(Debug, Clone)]
pub struct RecoveryLink {
    /// The address.
    pub href: String,
    /// The text of the link.
    pub label: String,
}

/// Adds a link to the page of a failure.
pub fn with_recovery_link(failure: Failure, href: String, label: &str) -> Response {
    let mut response = failure.into_response();
    response.extensions_mut().insert(RecoveryLink { href, label: label.to_owned() });
    response
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// The parts of a failed request that its page needs.
struct FailedRequest {
    is_read: bool,
    /// The address of a page, never of a form.
    page: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page_layout: PageLayout,
    status: u16,
    heading: &'static str,
    advice: String,
    code: String,
    retry_after: Option<u32>,
    /// The address to try again.
    retry: Option<String>,
    /// Seconds until the page reloads by itself.
    refresh: Option<u32>,
    recovery: RecoveryLink,
}

/// Renders problem documents as pages for requests that accept HTML.
pub async fn error_pages(request: Request, next: Next) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_page =
        accepts.is_some_and(|list| list.contains("text/html")) && !request.uri().path().starts_with("/api/");
    if !wants_page {
        return next.run(request).await;
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let failed = FailedRequest { is_read, page: page_address(request.uri().path(), request.uri().query()) };
    let response = next.run(request).await;
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if is_problem { problem_to_page(failed, response).await } else { response }
}

/// The page that an address belongs to: itself, and for a form's address the page that has the form.
pub fn page_address(path: &str, query: Option<&str>) -> String {
    let mut parts = path.trim_matches('/').split('/');
    let page = match (parts.next(), parts.next(), parts.next()) {
        (Some("events"), Some(event), Some("holds")) => format!("/events/{event}"),
        (Some("holds"), Some(hold), Some(_)) => format!("/holds/{hold}"),
        (Some("orders"), Some(order), Some(_)) => format!("/orders/{order}"),
        (Some("mine"), Some(_), None) => "/mine".to_owned(),
        _ => path.to_owned(),
    };
    match query {
        Some(query) if !query.is_empty() => format!("{page}?{query}"),
        _ => page,
    }
}

async fn problem_to_page(failed: FailedRequest, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // A handler wrote the body a moment ago: it is small and in memory.
    let Ok(body) = body.collect().await else { return (parts, Body::empty()).into_response() };
    let bytes = body.to_bytes();
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return (parts, Body::from(bytes)).into_response();
    };
    let retry_after = parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let (heading, advice) = heading_and_advice(&problem.code, parts.status);
    let recovery = parts.extensions.remove::<RecoveryLink>();
    let is_transient = matches!(
        parts.status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::INTERNAL_SERVER_ERROR
    );
    let retry = (is_transient || parts.status == StatusCode::METHOD_NOT_ALLOWED).then_some(failed.page);
    let template = ErrorPage {
        page_layout: PageLayout::new(heading),
        status: parts.status.as_u16(),
        heading,
        advice,
        code: problem.code,
        retry_after,
        // A page cannot send a form again by itself.
        refresh: retry_after.filter(|_| failed.is_read && is_transient).map(|seconds| seconds.max(REFRESH_SECONDS_MIN)),
        retry,
        recovery: recovery.unwrap_or_else(|| RecoveryLink { href: "/".to_owned(), label: "See all events".to_owned() }),
    };
    let mut page = html_page(parts.status, &template);
    // Headers that describe the JSON are replaced; cookies and all others stay.
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CACHE_CONTROL);
    page.headers_mut().extend(parts.headers);
    page
}

/// A heading and advice for a code, or for its status.
fn heading_and_advice(code: &str, status: StatusCode) -> (&'static str, String) {
    let known = Code::ALL.iter().copied().find(|known| known.as_str() == code);
    let heading = match known {
        Some(Code::HoldExpired) => "Your time ran out",
        Some(Code::HoldLost) => "Your places were let go",
        Some(Code::PlaceTaken) => "Somebody was faster",
        Some(Code::SoldOut) => "Not enough places there",
        Some(Code::SaleClosed) => "Not on sale right now",
        Some(Code::PaymentUnresolved) => "A payment is still running",
        Some(Code::NotPayable) => "There is nothing to pay",
        Some(Code::CsrfMismatch) => "This form came from elsewhere",
        Some(Code::Overloaded) => "Very busy right now",
        Some(Code::MethodNotAllowed) => "This is not a page",
        _ => match status {
            StatusCode::NOT_FOUND => "Nothing here",
            StatusCode::GONE => "This is over",
            StatusCode::TOO_MANY_REQUESTS => "A little slower, please",
            StatusCode::SERVICE_UNAVAILABLE => "Not possible right now",
            StatusCode::BAD_REQUEST => "That did not fit",
            StatusCode::INTERNAL_SERVER_ERROR => "Something broke on our side",
            _ => "That was not possible",
        },
    };
    let advice = match known {
        Some(Code::MethodNotAllowed) => {
            "A form is sent to this address. The page with the form is one step away.".to_owned()
        }
        Some(code) => refusal_sentences::code_sentence(code, None),
        None if status == StatusCode::INTERNAL_SERVER_ERROR => {
            "It has been noted. Try again; an order that was confirmed is safe.".to_owned()
        }
        None => refusal_sentences::code_sentence(Code::WrongState, None),
    };
    (heading, advice)
}

#[cfg(test)]
mod tests {
    use super::page_address;

    #[test]
    fn address_of_a_form_becomes_the_address_of_its_page() {
        for (path, query, page) in [
            ("/events/evt_1/holds", None, "/events/evt_1"),
            ("/holds/hold_1/remove", Some("token=t"), "/holds/hold_1?token=t"),
            ("/holds/hold_1/code", None, "/holds/hold_1"),
            ("/holds/hold_1/order", None, "/holds/hold_1"),
            ("/orders/ord_1/payments", Some(""), "/orders/ord_1"),
            ("/mine/forget", None, "/mine"),
            ("/events/evt_1", Some("area=a"), "/events/evt_1?area=a"),
            ("/", None, "/"),
            ("/holds", None, "/holds"),
        ] {
            assert_eq!(page_address(path, query), page, "{path}");
        }
    }
}
