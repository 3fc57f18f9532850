//! Errors as `application/problem+json` (RFC 9457): the last step of every failing request.
//!
//! Never: internal text of a fault in an answer (it goes to the log), a refusal without its stable code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use voelgoed_app::error::{Error, Fault};
use voelgoed_domain::catalog::import::Finding;
use voelgoed_domain::refusal::{Code, Evidence, LimitHit, Nature, Refusal};

use crate::rendered::{answer, json};

/// The content type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// A client is told to come back after this many seconds where nothing better is known.
const USUAL_RETRY_SECONDS: u32 = 2;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A page about the code.
    #[serde(rename = "type")]
    kind: String,
    /// The code in words.
    title: String,
    /// The HTTP status again.
    status: u16,
    /// Stable; clients may rely on it.
    #[schema(example = "place_taken")]
    code: &'static str,
    /// One sentence for a person.
    detail: String,
    /// The places in question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<u32>)]
    places: Vec<u32>,
    /// The order that exists already.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// The token of that order.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The limit that was hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    /// Seconds until it is worth asking again; also in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// When the sale opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<String>,
    /// The request's field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Everything that is wrong with an imported file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingDto>,
}

/// Something that an import has to say about a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FindingDto {
    /// Where, as a path or as line and field.
    at: String,
    /// `left_out`, `assumed`, `changed`; in a refusal `wrong`.
    kind: &'static str,
    /// A sentence for a person.
    detail: String,
}

impl From<Finding> for FindingDto {
    fn from(Finding { at, kind, detail }: Finding) -> Self {
        Self { at, kind: kind.as_str(), detail }
    }
}

/// A named limit and its size.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limit {
    /// Its stable name.
    name: &'static str,
    /// The most that is allowed.
    most: u64,
}

/// How a handler fails.
#[derive(Debug)]
pub struct Failure(pub Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The result of handlers.
pub type Answer<T> = Result<T, Failure>;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Refused(refusal) => refused(refusal),
            Error::Fault(fault) => faulted(&fault),
        }
    }
}

fn refused(refusal: Refusal) -> Response {
    let status = status_of(refusal.code.nature());
    let mut evidence = refusal.evidence;
    if matches!(refusal.code.nature(), Nature::Limited | Nature::Unavailable) {
        evidence.retry_after.get_or_insert(USUAL_RETRY_SECONDS);
    }
    respond(status, refusal.code.as_str(), refusal.detail, *evidence)
}

fn faulted(fault: &Fault) -> Response {
    match fault {
        Fault::Away { dependency, detail } => {
            tracing::warn!(?dependency, detail, "a part is away");
            unavailable(
                "This is not possible right now. Repeat it in a moment, with the same Idempotency-Key if it has one.",
            )
        }
        Fault::Ambiguous { dependency, detail } => {
            tracing::warn!(?dependency, detail, "a part did not answer");
            unavailable("The answer got lost. Repeat the request with the same Idempotency-Key.")
        }
        Fault::Internal(detail) => {
            tracing::error!(detail, "internal fault");
            let detail = "Something broke on our side. It has been noted.".to_owned();
            respond(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail, Evidence::default())
        }
    }
}

fn unavailable(detail: &str) -> Response {
    let evidence = Evidence { retry_after: Some(USUAL_RETRY_SECONDS), ..Evidence::default() };
    respond(StatusCode::SERVICE_UNAVAILABLE, Code::TryAgain.as_str(), detail.to_owned(), evidence)
}

/// The status of each nature of refusal.
#[must_use]
pub fn status_of(nature: Nature) -> StatusCode {
    match nature {
        Nature::Invalid => StatusCode::BAD_REQUEST,
        Nature::Unauthenticated => StatusCode::UNAUTHORIZED,
        Nature::Forbidden => StatusCode::FORBIDDEN,
        Nature::Absent => StatusCode::NOT_FOUND,
        Nature::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Nature::Conflict => StatusCode::CONFLICT,
        Nature::Gone => StatusCode::GONE,
        Nature::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Nature::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Nature::Limited => StatusCode::TOO_MANY_REQUESTS,
        Nature::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn respond(status: StatusCode, code: &'static str, detail: String, evidence: Evidence) -> Response {
    let retry_after = evidence.retry_after;
    let problem = Problem {
        kind: format!("/docs/errors#{code}"),
        title: code.replace('_', " "),
        status: status.as_u16(),
        code,
        detail,
        places: evidence.places.iter().map(|place| place.0).collect(),
        order: evidence.order.map(|order| order.to_string()),
        token: evidence.token,
        limit: evidence.limit.map(|LimitHit { name, most }| Limit { name, most }),
        retry_after,
        opens_at: evidence.opens_at.map(|at| at.to_string()),
        field: evidence.field,
        findings: evidence.findings.into_iter().map(Into::into).collect(),
    };
    let mut response = answer(status, json(&problem));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
