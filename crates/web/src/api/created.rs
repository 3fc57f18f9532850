//! 201 with the rendered thing; a repeat of the request gets the very same bytes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};

/// Renders a DTO as the bytes of an answer.
pub fn json<T: Serialize>(dto: &T) -> Bytes {
    serde_json::to_vec(dto).map(Bytes::from).unwrap_or_default()
}

/// A command's `Idempotent`, where the caller sent a key.
pub fn idempotent<V>(
    key: Option<IdempotencyKey>,
    render: &(dyn Fn(&V) -> Bytes + Send + Sync),
) -> Option<Idempotent<'_, V>> {
    key.map(|key| Idempotent { key, render })
}

/// The answer to a creating command.
pub fn created<V>(outcome: Created<V>, render: impl Fn(&V) -> Bytes) -> Response {
    let (body, replayed) = match outcome {
        Created::Fresh(view) => (render(&view), false),
        Created::Replayed(answer) => (answer, true),
    };
    let mut response = (StatusCode::CREATED, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}
