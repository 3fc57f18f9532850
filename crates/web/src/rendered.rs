//! Serializes private JSON responses (`Cache-Control: no-store`) into one buffer.
//!
//! Never: an empty success. What cannot be serialized is a fault with a 500.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use voelgoed_app::error::Fault;

use crate::problem::Failure;

/// Room for most answers from the beginning: a buffer that grows is copied each time.
const ROOM: usize = 1024;
/// The last resort: the problem itself could not be serialized.
const BARE_PROBLEM: &[u8] = br#"{"type":"/docs/errors#internal","title":"internal","status":500,"code":"internal"}"#;

/// Serializes a DTO.
///
/// # Errors
/// A fault where it has no JSON.
pub fn try_json<T: Serialize>(dto: &T) -> Result<Bytes, Fault> {
    let mut bytes = Vec::with_capacity(ROOM);
    let written = serde_json::to_writer(&mut bytes, dto);
    written.map(|()| bytes.into()).map_err(|error| Fault::internal(format!("a response has no JSON: {error}")))
}

/// The same for what commands render: nothing where it has no JSON, which the command and [`answer`] turn into a fault.
pub fn json<T: Serialize>(dto: &T) -> Bytes {
    try_json(dto).unwrap_or_else(|fault| {
        tracing::error!(%fault, "a response could not be serialized");
        Bytes::new()
    })
}

/// An answer of rendered bytes; a 500 where nothing was rendered.
pub fn answer(status: StatusCode, body: Bytes) -> Response {
    match (body.is_empty(), status.is_success()) {
        (false, _) => with_body(status, body),
        (true, true) => Failure::from(Fault::internal("nothing was rendered")).into_response(),
        (true, false) => with_body(StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(BARE_PROBLEM)),
    }
}

fn with_body(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use serde::Serializer;
    use serde::ser::Error;
    use voelgoed_app::idempotency::Created;

    use super::*;
    use crate::api::created::created;

    /// A DTO that has no JSON.
    struct Wordless;

    impl Serialize for Wordless {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no words"))
        }
    }

    #[test]
    fn what_has_no_json_is_a_500_and_never_an_empty_success() {
        for response in [
            answer(StatusCode::OK, json(&Wordless)),
            answer(StatusCode::CREATED, json(&vec![Wordless])),
            created(Created::Fresh(Wordless), json),
            answer(StatusCode::BAD_REQUEST, json(&Wordless)),
        ] {
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert!(try_json(&Wordless).is_err());
        assert_eq!(answer(StatusCode::OK, json(&"words")).status(), StatusCode::OK);
    }
}
