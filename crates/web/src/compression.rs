//! Compresses response bodies for clients that accept gzip: small ones at once, large ones on blocking threads, within a limit.
//!
//! Never: a stream, whose frames must leave at once; an error, which is small and becomes a page further out; a body that is encoded already.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::task::spawn_blocking;

use crate::gzip::{Coding, accepted_coding, gzip};
use crate::problem::PROBLEM_JSON;
use crate::state::Web;

/// A smaller body would not get smaller.
const COMPRESSED_BYTES_MIN: u64 = 32;
/// A larger body would keep a thread of the runtime from other requests.
const INLINE_BYTES_MAX: u64 = 32 * 1024;

/// Compresses the response where that is worth it; where too many large ones are being compressed, a large one is sent as it is.
pub async fn compress(State(web): State<Web>, request: Request, next: Next) -> Response {
    let coding = accepted_coding(request.headers());
    let mut response = next.run(request).await;
    let Some(coding) = coding else {
        *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
        vary(&mut response);
        return response;
    };
    let Some(bytes) = compressible_bytes(&response) else { return response };
    vary(&mut response);
    if coding == Coding::Identity {
        return response;
    }
    let _permit = match bytes <= INLINE_BYTES_MAX {
        true => None,
        false => match web.compressions.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => return response,
        },
    };
    let (mut parts, body) = response.into_parts();
    // The whole body is in memory, since its size is known.
    let Ok(plain) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    let plain = plain.to_bytes();
    let compressed = match bytes <= INLINE_BYTES_MAX {
        true => gzip(&plain),
        false => gzip_elsewhere(plain.clone()).await,
    };
    let Some(compressed) = compressed else { return Response::from_parts(parts, Body::from(plain)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, Body::from(compressed))
}

async fn gzip_elsewhere(plain: Bytes) -> Option<Bytes> {
    spawn_blocking(move || gzip(&plain)).await.ok().flatten()
}

/// The size of a body that may be compressed; none where it must be sent as it is.
fn compressible_bytes(response: &Response) -> Option<u64> {
    let headers = response.headers();
    if headers.contains_key(header::CONTENT_ENCODING) || headers.contains_key(header::CONTENT_RANGE) {
        return None;
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_image = content_type.starts_with("image/") && !content_type.starts_with("image/svg+xml");
    let is_stream = content_type.starts_with("text/event-stream");
    let bytes = response.body().size_hint().exact()?;
    let is_compressible = !is_image && !is_stream && !content_type.starts_with(PROBLEM_JSON);
    (is_compressible && bytes >= COMPRESSED_BYTES_MIN).then_some(bytes)
}

/// Says to caches that the body depends on `Accept-Encoding`.
fn vary(response: &mut Response) {
    let is_named =
        |value: &HeaderValue| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("accept-encoding"));
    if !response.headers().get_all(header::VARY).iter().any(is_named) {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::response::IntoResponse;
    use voelgoed_domain::refusal::Refusal;

    use super::*;
    use crate::problem::Failure;

    #[test]
    fn error_reaches_the_layer_of_error_pages_uncompressed() {
        let error = Failure::from(Refusal::not_found()).into_response();
        assert_eq!(compressible_bytes(&error), None, "every browser accepts gzip");
        let list = Json(vec!["a list that is long enough to be worth it"; 10]).into_response();
        assert!(compressible_bytes(&list).is_some());
    }

    #[test]
    fn stream_picture_encoded_and_tiny_bodies_are_not_compressible() {
        let long = "long enough to be worth it ".repeat(10);
        let long = long.as_str();
        for (content_type, body, expected) in [
            ("text/html", long, true),
            ("image/svg+xml", long, true),
            ("image/png", long, false),
            ("text/event-stream", long, false),
            ("text/html", "short", false),
        ] {
            let response = ([(header::CONTENT_TYPE, content_type)], body.to_owned()).into_response();
            assert_eq!(compressible_bytes(&response).is_some(), expected, "{content_type}");
        }
        let encoded = ([(header::CONTENT_ENCODING, "gzip")], long.to_owned()).into_response();
        assert_eq!(compressible_bytes(&encoded), None);
    }

    #[test]
    fn accept_encoding_is_named_once_in_vary() {
        let mut response = ([(header::VARY, "Accept-Encoding")], "body").into_response();
        vary(&mut response);
        assert_eq!(response.headers().get_all(header::VARY).iter().count(), 1);
    }
}
