//! Maps refusals and faults to `application/problem+json` (RFC 9457) with a status and a stable code.
//!
//! Never: internal text of a fault in a response (it goes to the log).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use voelgoed_app::error::{CommandError, Fault};
use voelgoed_domain::catalog::import::Finding;
use voelgoed_domain::refusal::{Code, LimitHit, Refusal, RefusalEvidence, RefusalKind};

use crate::json_bytes::json;

/// The content type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// `Retry-After` where the refusal names no better time.
const RETRY_SECONDS_DEFAULT: u32 = 2;

/// The body of a problem that could not be serialized itself.
const BARE_PROBLEM: &[u8] = br#"{"type":"/docs/errors#internal","title":"internal","status":500,"code":"internal"}"#;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A page about the code.
    #[serde(rename = "type")]
    kind: String,
    /// The code with blanks instead of underscores.
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
    /// Seconds until a retry makes sense; also in `Retry-After`.
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

/// What an import left out, assumed, changed or refused in a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FindingDto {
    /// The place in the file, as a path or as line and field.
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

/// How a handler fails; rendered as a [`Problem`].
#[derive(Debug)]
pub struct Failure(pub CommandError);

impl<E: Into<CommandError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The result of handlers.
pub type HandlerResult<T> = Result<T, Failure>;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            CommandError::Refused(refusal) => refused(refusal),
            CommandError::Fault(fault) => faulted(&fault),
        }
    }
}

fn refused(refusal: Refusal) -> Response {
    let status = status_of(refusal.code.kind());
    let mut evidence = refusal.evidence;
    if matches!(refusal.code.kind(), RefusalKind::RateLimited | RefusalKind::Unavailable) {
        evidence.retry_after.get_or_insert(RETRY_SECONDS_DEFAULT);
    }
    respond(status, refusal.code.as_str(), refusal.detail, *evidence)
}

fn faulted(fault: &Fault) -> Response {
    match fault {
        Fault::Unavailable { dependency, detail } => {
            tracing::warn!(?dependency, detail, "a dependency is unavailable");
            unavailable(
                "This is not possible right now. Repeat it in a moment, with the same Idempotency-Key if it has one.",
            )
        }
        Fault::Ambiguous { dependency, detail } => {
            tracing::warn!(?dependency, detail, "a dependency did not answer");
            unavailable(
                "The answer got lost, so this may or may not be done. Repeat the request with the same Idempotency-Key; it is done once.",
            )
        }
        Fault::Internal(detail) => {
            tracing::error!(detail, "internal fault");
            let detail = "Something broke on our side. It has been noted.".to_owned();
            respond(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail, RefusalEvidence::default())
        }
    }
}

fn unavailable(detail: &str) -> Response {
    let evidence = RefusalEvidence { retry_after: Some(RETRY_SECONDS_DEFAULT), ..RefusalEvidence::default() };
    respond(StatusCode::SERVICE_UNAVAILABLE, Code::TryAgain.as_str(), detail.to_owned(), evidence)
}

/// The status of each kind of refusal.
#[must_use]
pub fn status_of(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::Invalid => StatusCode::BAD_REQUEST,
        RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Gone => StatusCode::GONE,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        RefusalKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn respond(status: StatusCode, code: &'static str, detail: String, evidence: RefusalEvidence) -> Response {
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
    let body = json(&problem);
    let (status, body) = match body.is_empty() {
        true => (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(BARE_PROBLEM)),
        false => (status, body),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
