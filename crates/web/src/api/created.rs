//! 201 with the rendered thing; a repeat of the request gets the very same bytes.

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};

use crate::rendered::answer;

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
