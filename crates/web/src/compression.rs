//! Compresses response bodies for clients that accept gzip: small ones at once, large ones on blocking threads, within a limit.
//!
//! A request that excludes both gzip and a body as it is (`identity;q=0`) is answered 406. Never: a stream, whose frames must leave at once; an error, which
//! is small and becomes a page further out; a body that is encoded already.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
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
    let Some(coding) = accepted_coding(request.headers()) else {
        // Before the handler, so that nothing is changed; without a body, which would need a coding.
        let mut response = StatusCode::NOT_ACCEPTABLE.into_response();
        vary(&mut response);
        return response;
    };
    let mut response = next.run(request).await;
    let Some(bytes) = compressible_bytes(&response, coding) else { return response };
    vary(&mut response);
    if !coding.accepts_gzip() {
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

/// The size of a body that may be compressed; none where it must be sent as it is, or is not worth it and the client accepts it as it is.
fn compressible_bytes(response: &Response, coding: Coding) -> Option<u64> {
    let headers = response.headers();
    if headers.contains_key(header::CONTENT_ENCODING) || headers.contains_key(header::CONTENT_RANGE) {
        return None;
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_image = content_type.starts_with("image/") && !content_type.starts_with("image/svg+xml");
    let is_stream = content_type.starts_with("text/event-stream");
    let bytes = response.body().size_hint().exact()?;
    let may_compress = bytes > 0 && !is_stream && !content_type.starts_with(PROBLEM_JSON);
    let is_worth_it = coding == Coding::GzipOnly || (!is_image && bytes >= COMPRESSED_BYTES_MIN);
    (may_compress && is_worth_it).then_some(bytes)
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
    use voelgoed_domain::refusal::Refusal;

    use super::*;
    use crate::problem::Failure;

    #[test]
    fn error_reaches_the_layer_of_error_pages_uncompressed() {
        let error = Failure::from(Refusal::not_found()).into_response();
        assert_eq!(compressible_bytes(&error, Coding::Gzip), None, "every browser accepts gzip");
        let list = Json(vec!["a list that is long enough to be worth it"; 10]).into_response();
        assert!(compressible_bytes(&list, Coding::Gzip).is_some());
    }

    #[test]
    fn stream_picture_encoded_and_tiny_bodies_are_not_compressible() {
        let long = "long enough to be worth it ".repeat(10);
        let long = long.as_str();
        for (content_type, body, expected, expected_without_identity) in [
            ("text/html", long, true, true),
            ("image/svg+xml", long, true, true),
            ("image/png", long, false, true),
            ("text/event-stream", long, false, false),
            ("text/html", "short", false, true),
            ("text/html", "", false, false),
        ] {
            let response = ([(header::CONTENT_TYPE, content_type)], body.to_owned()).into_response();
            for (coding, expected) in [(Coding::Gzip, expected), (Coding::GzipOnly, expected_without_identity)] {
                let bytes = compressible_bytes(&response, coding);
                assert_eq!(bytes.is_some(), expected, "{content_type} {body} {coding:?}");
            }
        }
        let encoded = ([(header::CONTENT_ENCODING, "gzip")], long.to_owned()).into_response();
        assert_eq!(compressible_bytes(&encoded, Coding::GzipOnly), None);
    }

    #[test]
    fn accept_encoding_is_named_once_in_vary() {
        let mut response = ([(header::VARY, "Accept-Encoding")], "body").into_response();
        vary(&mut response);
        assert_eq!(response.headers().get_all(header::VARY).iter().count(), 1);
    }
}
