//! 201 with the rendered thing; a repeat of the request gets the very same bytes.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};

/// Room for most answers from the beginning: a buffer that grows is copied each time.
const ROOM: usize = 1024;

/// Renders a DTO as the bytes of an answer.
pub fn json<T: Serialize>(dto: &T) -> Bytes {
    let mut bytes = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut bytes, dto).map(|()| bytes.into()).unwrap_or_default()
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
    let mut response = answer(StatusCode::CREATED, body);
    if replayed {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// An answer of rendered bytes that is its reader's alone.
pub fn answer(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
