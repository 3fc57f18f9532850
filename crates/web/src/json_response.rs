//! Builds private JSON responses (`Cache-Control: no-store`) from rendered bytes.
//!
//! Never: an empty success. Where nothing was rendered, the response is a fault with a 500.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use voelgoed_app::error::Fault;

use crate::problem::Failure;

/// A response of rendered bytes; a 500 where nothing was rendered.
pub fn json_response(status: StatusCode, body: Bytes) -> Response {
    if body.is_empty() {
        return Failure::from(Fault::internal("nothing was rendered")).into_response();
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use serde::ser::Error;
    use serde::{Serialize, Serializer};
    use voelgoed_app::idempotency::Created;

    use super::*;
    use crate::api::idempotent_response::created_response;
    use crate::json_bytes::{json, try_json};

    /// A DTO that has no JSON.
    struct Unserializable;

    impl Serialize for Unserializable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("has no JSON"))
        }
    }

    #[test]
    fn dto_without_json_is_answered_with_a_500() {
        for response in [
            json_response(StatusCode::OK, json(&Unserializable)),
            json_response(StatusCode::CREATED, json(&vec![Unserializable])),
            created_response(Created::Fresh(Unserializable), json),
            json_response(StatusCode::BAD_REQUEST, json(&Unserializable)),
        ] {
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert!(try_json(&Unserializable).is_err());
        assert_eq!(json_response(StatusCode::OK, json(&"a text")).status(), StatusCode::OK);
    }
}
