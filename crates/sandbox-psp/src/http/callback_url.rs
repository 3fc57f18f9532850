//! Answers `PUT /callback-url`: verifies the shop's signature and records where callbacks go.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::HttpContext;
use crate::clock;
use crate::protocol::{CallbackTarget, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::request_error::RequestError;

pub async fn set(
    State(context): State<HttpContext>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, RequestError> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secret = &context.state.config.callback_secret;
    let (timestamp, signature) = (header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER));
    secret.verify(timestamp, signature, &body, clock::now()).map_err(|_| RequestError::InvalidSignature)?;
    let target: CallbackTarget =
        serde_json::from_slice(&body).map_err(|error| RequestError::Invalid(format!("body: {error}")))?;
    if !reqwest::Url::parse(&target.url).is_ok_and(|url| url.scheme() == "http") {
        return Err(RequestError::Invalid("url: must be an absolute http URL".to_owned()));
    }
    context.state.set_callback_url(&target.url).await?;
    Ok(StatusCode::NO_CONTENT)
}
