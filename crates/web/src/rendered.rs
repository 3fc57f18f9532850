//! JSON answers that are their reader's alone: written once, into a buffer that need not grow, and cached by nobody.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

/// Room for most answers from the beginning: a buffer that grows is copied each time.
const ROOM: usize = 1024;

/// Renders a DTO as the bytes of an answer.
pub fn json<T: Serialize>(dto: &T) -> Bytes {
    let mut bytes = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut bytes, dto).map(|()| bytes.into()).unwrap_or_default()
}

/// An answer of rendered bytes.
pub fn answer(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
