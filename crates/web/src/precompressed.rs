//! Renders and compresses large answers once per version on blocking threads, and shares the bytes between requests.
//!
//! Never: more than [`AT_ONCE`] version rendered at a time, or more bytes kept than the limit; a single version above the limit is kept alone.
//! Other large answers are compressed by [`compress_large`], which has a limit of its own.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use voelgoed_app::error::Fault;

use crate::problem::{Failure, PROBLEM_JSON};
use crate::state::Web;

/// A body of more bytes is not compressed by the runtime's own threads.
pub const LARGE: u64 = 32 * 1024;
/// Versions that are rendered at once, compression included.
const AT_ONCE: usize = 1;
/// Versions that are kept, whatever their size.
const VERSIONS_MAX: usize = 1_000;

/// The bytes of an answer, plain and compressed.
#[derive(Debug)]
pub struct Precompressed {
    content_type: &'static str,
    plain: Bytes,
    /// None where it would not be smaller.
    gzip: Option<Bytes>,
}

impl Precompressed {
    /// Compresses; not for the runtime's threads where there are many bytes.
    #[must_use]
    pub fn new(plain: Bytes, content_type: &'static str) -> Self {
        let gzip = gzip(&plain).filter(|gzip| gzip.len() < plain.len());
        Self { content_type, plain, gzip }
    }

    /// The answer in an encoding that the client takes; its bytes are shared. A 500 where nothing was rendered.
    #[must_use]
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        if self.plain.is_empty() {
            return Failure::from(Fault::internal("nothing was rendered")).into_response();
        }
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(asked));
        let mut response = Response::new(Body::from(gzip.unwrap_or(&self.plain).clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn bytes(&self) -> usize {
        self.plain.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110, 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut others = false;
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().to_ascii_lowercase();
        let wanted = weight.strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok()) != Some(0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => return wanted,
            "*" => others = wanted,
            _ => {}
        }
    }
    others
}

/// What was rendered, by version; the version that nobody asked for longest gives way.
#[derive(Debug)]
pub struct RenderedVersions {
    bytes_max: usize,
    renders: Semaphore,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    versions: HashMap<String, Version>,
    asked: u64,
}

#[derive(Debug)]
struct Version {
    rendered: Arc<OnceCell<Arc<Precompressed>>>,
    asked: u64,
}

impl RenderedVersions {
    /// Nothing was rendered yet; at most `bytes_max` are kept.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, renders: Semaphore::new(AT_ONCE), kept: Mutex::default() }
    }

    /// What a version is rendered as; rendered now where it is not kept, once for all who ask.
    ///
    /// # Errors
    /// A fault where rendering broke.
    pub async fn get(
        &self,
        version: &str,
        render: impl FnOnce() -> Precompressed + Send + 'static,
    ) -> Result<Arc<Precompressed>, Fault> {
        let cell = self.cell(version);
        let rendered = cell.get_or_try_init(|| async {
            // Never closed.
            let _turn = self.renders.acquire().await;
            spawn_blocking(|| Arc::new(render())).await.map_err(|_| Fault::internal("an answer could not be rendered"))
        });
        let rendered = Arc::clone(rendered.await?);
        self.trim(version);
        Ok(rendered)
    }

    fn cell(&self, version: &str) -> Arc<OnceCell<Arc<Precompressed>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked += 1;
        let asked = kept.asked;
        if let Some(version) = kept.versions.get_mut(version) {
            version.asked = asked;
            return Arc::clone(&version.rendered);
        }
        let rendered = Arc::default();
        kept.versions.insert(version.to_owned(), Version { rendered: Arc::clone(&rendered), asked });
        rendered
    }

    /// Forgets versions until the rest fits; never the one that was just asked for.
    fn trim(&self, newest: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |version: &Version| version.rendered.get().map_or(0, |rendered| rendered.bytes());
        let mut all: usize = kept.versions.values().map(bytes).sum();
        while all > self.bytes_max || kept.versions.len() > VERSIONS_MAX {
            let others = kept.versions.iter().filter(|(version, _)| *version != newest);
            let Some(oldest) = others.min_by_key(|(_, version)| version.asked).map(|(version, _)| version.clone())
            else {
                break;
            };
            all -= kept.versions.remove(&oldest).map_or(0, |version| bytes(&version));
        }
    }
}

/// What is compressed at all. A stream's frames must leave at once, and hardly repeat; an error is small, and becomes a page further out.
pub fn compressible() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new(PROBLEM_JSON))
}

/// The same for bodies that are small enough for the runtime's threads.
pub fn compressible_at_once() -> impl Predicate {
    compressible().and(Small)
}

#[derive(Debug, Clone, Copy)]
struct Small;

impl Predicate for Small {
    fn should_compress<B: hyper::body::Body>(&self, response: &axum::http::Response<B>) -> bool {
        response.body().size_hint().exact().is_none_or(|bytes| bytes <= LARGE)
    }
}

/// Compresses large bodies elsewhere; where too many are being compressed, they are sent as they are.
pub async fn compress_large(State(web): State<Web>, request: Request, next: Next) -> Response {
    let wanted = takes_gzip(request.headers());
    let response = next.run(request).await;
    let is_large = response.body().size_hint().exact().is_some_and(|bytes| bytes > LARGE);
    let is_encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    if !wanted || !is_large || is_encoded || !compressible().should_compress(&response) {
        return response;
    }
    let Ok(_turn) = web.compressions.try_acquire() else { return response };
    let (mut parts, body) = response.into_parts();
    // In memory already, since its size is known.
    let Ok(plain) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    let plain = plain.to_bytes();
    let copy = plain.clone();
    let Ok(Some(compressed)) = spawn_blocking(move || gzip(&copy)).await else {
        return Response::from_parts(parts, Body::from(plain));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, Body::from(compressed))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn rendered(bytes: usize) -> Precompressed {
        // Such bytes cannot be compressed much, so what is kept is known.
        Precompressed { content_type: "text/plain", plain: vec![7; bytes].into(), gzip: None }
    }

    #[tokio::test]
    async fn a_version_is_rendered_once_for_all_who_ask() {
        let versions = Arc::new(RenderedVersions::new(1_000));
        let times = Arc::new(AtomicUsize::new(0));
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (versions, times) = (Arc::clone(&versions), Arc::clone(&times));
            asking.spawn(async move {
                let render = move || {
                    times.fetch_add(1, Ordering::Relaxed);
                    rendered(10)
                };
                versions.get("one", render).await.unwrap().plain.as_ptr() as usize
            });
        }
        let shared = asking.join_all().await;
        assert_eq!(times.load(Ordering::Relaxed), 1);
        assert!(shared.iter().all(|bytes| *bytes == shared[0]), "everybody has the same bytes");
    }

    #[tokio::test]
    async fn versions_that_nobody_asks_for_give_way() {
        let versions = RenderedVersions::new(25);
        for version in ["a", "b", "a", "c"] {
            versions.get(version, || rendered(10)).await.unwrap();
        }
        let kept = versions.kept.lock().unwrap();
        let mut names: Vec<_> = kept.versions.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "c"]);
    }

    #[tokio::test]
    async fn a_version_larger_than_the_limit_is_answered_and_kept_alone() {
        let versions = RenderedVersions::new(5);
        for version in ["a", "b"] {
            assert_eq!(versions.get(version, || rendered(10)).await.unwrap().plain.len(), 10);
        }
        assert_eq!(versions.kept.lock().unwrap().versions.len(), 1);
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        for (lines, expected) in [
            (&["gzip"][..], true),
            (&["br, GZip;q=0.5"], true),
            (&["deflate", "gzip"], true),
            (&["*"], true),
            (&["gzip;q=0"], false),
            (&["gzip; q=0.0, *"], false),
            (&["identity"], false),
            (&["*;q=0"], false),
            (&[""], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(takes_gzip(&headers), expected, "{lines:?}");
            let large = Precompressed::new(vec![b'a'; 1_000].into(), "text/plain").answer(&headers);
            assert_eq!(large.headers().contains_key(header::CONTENT_ENCODING), expected);
            assert_eq!(large.headers()[header::VARY], "accept-encoding");
        }
    }
}
