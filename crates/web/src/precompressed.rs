//! Holds the bytes of a response plain and compressed, so that they are compressed once and shared between requests.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use voelgoed_app::error::Fault;

use crate::gzip::{Coding, accepted_coding, gzip};
use crate::problem::Failure;

/// The bytes of a response, plain and compressed.
#[derive(Debug)]
pub struct Precompressed {
    content_type: &'static str,
    plain: Bytes,
    /// None where gzip makes the body no smaller.
    gzip: Option<Bytes>,
}

impl Precompressed {
    /// Compresses the bytes; call this on a blocking thread where there are many of them.
    #[must_use]
    pub fn new(plain: Bytes, content_type: &'static str) -> Self {
        let gzip = gzip(&plain).filter(|gzip| gzip.len() < plain.len());
        Self { content_type, plain, gzip }
    }

    /// The response in a coding that the client accepts; a 500 where nothing was rendered.
    #[must_use]
    pub fn response(&self, request_headers: &HeaderMap) -> Response {
        if self.plain.is_empty() {
            return Failure::from(Fault::internal("nothing was rendered")).into_response();
        }
        let accepts_gzip = accepted_coding(request_headers).is_some_and(Coding::accepts_gzip);
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip);
        let mut response = Response::new(Body::from(gzip.unwrap_or(&self.plain).clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// The memory of both forms.
    pub(crate) fn bytes(&self) -> usize {
        self.plain.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }
}

#[cfg(test)]
impl Precompressed {
    /// A body that gzip makes no smaller, so that its memory is known.
    pub(crate) fn incompressible(bytes: usize) -> Self {
        Self { content_type: "text/plain", plain: vec![7; bytes].into(), gzip: None }
    }

    pub(crate) fn plain(&self) -> &Bytes {
        &self.plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_clients_that_accept_it() {
        for (accepted, expected) in [("gzip", true), ("*", true), ("gzip;q=0", false), ("identity", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            let response = Precompressed::new(vec![b'a'; 1_000].into(), "text/plain").response(&headers);
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), expected, "{accepted}");
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
        }
    }
}
