//! Errors for people: what happened and what to do next, with the status that the API would give.
//!
//! Handlers of pages fail like those of the API; this layer turns `application/problem+json` into a page for whoever asked for HTML.
//! Never: an error page of its own beside this one, a page without a way on. To word a code better: its line in [`words`] or in `sentences`.

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Deserialize;
use voelgoed_domain::refusal::Code;

use super::sentences;
use super::shell::{Shell, page};
use crate::problem::{Failure, PROBLEM_JSON};

/// A page that looks again by itself waits at least so many seconds.
const REFRESH_MIN: u32 = 5;

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
}

/// What was asked for, as far as the page needs it.
struct Asked {
    reads: bool,
    /// The address of a page, never of a form.
    page: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    heading: &'static str,
    advice: String,
    code: String,
    retry_after: Option<u32>,
    /// Where the same may be tried again.
    again: Option<String>,
    /// Seconds after which the page tries by itself.
    refresh: Option<u32>,
    way: WayBack,
}

/// Turns errors into pages for whoever asked for a page.
pub async fn error_pages(request: Request, next: Next) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_page =
        accepts.is_some_and(|list| list.contains("text/html")) && !request.uri().path().starts_with("/api/");
    if !wants_page {
        return next.run(request).await;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = Asked { reads, page: page_of(request.uri().path(), request.uri().query()) };
    let response = next.run(request).await;
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if is_problem { turn(asked, response).await } else { response }
}

/// The page that an address belongs to: itself, and for a form's address the page that has the form.
pub fn page_of(path: &str, query: Option<&str>) -> String {
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

async fn turn(asked: Asked, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // Written by ourselves a moment ago: small, and in memory.
    let Ok(body) = body.collect().await else { return (parts, Body::empty()).into_response() };
    let bytes = body.to_bytes();
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return (parts, Body::from(bytes)).into_response();
    };
    let retry_after = parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let (heading, advice) = words(&problem.code, parts.status);
    let way = parts.extensions.remove::<WayBack>();
    let passes = matches!(
        parts.status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::INTERNAL_SERVER_ERROR
    );
    let again = (passes || parts.status == StatusCode::METHOD_NOT_ALLOWED).then_some(asked.page);
    let template = ErrorPage {
        shell: Shell::new(heading),
        status: parts.status.as_u16(),
        heading,
        advice,
        code: problem.code,
        retry_after,
        // A form is not sent again by itself.
        refresh: retry_after.filter(|_| asked.reads && passes).map(|seconds| seconds.max(REFRESH_MIN)),
        again,
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
fn words(code: &str, status: StatusCode) -> (&'static str, String) {
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
        Some(code) => sentences::of_code(code, None),
        None if status == StatusCode::INTERNAL_SERVER_ERROR => {
            "It has been noted. Try again; an order that was confirmed is safe.".to_owned()
        }
        None => sentences::of_code(Code::WrongState, None),
    };
    (heading, advice)
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn a_form_belongs_to_its_page() {
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
            assert_eq!(page_of(path, query), page, "{path}");
        }
    }
}
