//! Sends server-sent events with heartbeats, and ends them when the node stops, so that viewers reconnect to another node.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

/// The silence after which a comment is sent.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// A response that sends `frames` until they end or the node stops.
pub fn sse(frames: impl Stream<Item = Bytes> + Send + 'static, stopping: CancellationToken) -> Response {
    let frames = frames.take_until(stopping.cancelled_owned()).map(Ok::<_, std::convert::Infallible>);
    let mut response = Body::from_stream(frames).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies must pass each frame on at once.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// The same frames with a comment after each silence, so that a client that vanished is noticed.
pub fn with_heartbeat(
    frames: impl Stream<Item = Bytes> + Send + 'static,
) -> impl Stream<Item = Bytes> + Send + 'static {
    futures::stream::unfold(Box::pin(frames), |mut frames| async move {
        match tokio::time::timeout(HEARTBEAT_INTERVAL, frames.next()).await {
            Ok(frame) => Some((frame?, frames)),
            Err(_quiet) => Some((Bytes::from_static(b":\n\n"), frames)),
        }
    })
}

/// One event.
pub fn frame(event: &str, json: &str) -> Bytes {
    format!("event: {event}\ndata: {json}\n\n").into()
}
