//! Renders and compresses a large response once per version on a blocking thread, and evicts the least recently requested versions above a limit of bytes.
//!
//! Never: more than [`RENDERS_MAX`] version rendered at a time, or more bytes stored than the limit; a single version above the limit is stored alone. Own
//! code instead of `quick_cache`: the version that was just requested must stay, even if it is larger than the cache.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use voelgoed_app::error::Fault;

use crate::precompressed::Precompressed;

/// Versions that are rendered at once, compression included.
const RENDERS_MAX: usize = 1;
/// How many versions are stored, of any size.
const VERSIONS_MAX: usize = 1_000;

/// The rendered versions of seating plans.
#[derive(Debug)]
pub struct RenderCache {
    bytes_max: usize,
    renders: Semaphore,
    versions: Mutex<Versions>,
}

#[derive(Debug, Default)]
struct Versions {
    by_name: HashMap<String, Version>,
    /// Counts requests, as a clock for `last_request`.
    requests: u64,
}

#[derive(Debug)]
struct Version {
    rendered: Arc<OnceCell<Arc<Precompressed>>>,
    last_request: u64,
}

impl RenderCache {
    /// An empty cache for `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, renders: Semaphore::new(RENDERS_MAX), versions: Mutex::default() }
    }

    /// A version; rendered now where it is not stored, once for all concurrent requests.
    ///
    /// # Errors
    /// A fault where rendering panicked.
    pub(crate) async fn get(
        &self,
        version: &str,
        render: impl FnOnce() -> Precompressed + Send + 'static,
    ) -> Result<Arc<Precompressed>, Fault> {
        let cell = self.cell(version);
        let rendered = cell.get_or_try_init(|| async {
            // The semaphore is never closed.
            let _permit = self.renders.acquire().await;
            spawn_blocking(|| Arc::new(render())).await.map_err(|_| Fault::internal("a response could not be rendered"))
        });
        let rendered = Arc::clone(rendered.await?);
        self.evict(version);
        Ok(rendered)
    }

    fn cell(&self, version: &str) -> Arc<OnceCell<Arc<Precompressed>>> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.requests += 1;
        let last_request = versions.requests;
        if let Some(version) = versions.by_name.get_mut(version) {
            version.last_request = last_request;
            return Arc::clone(&version.rendered);
        }
        let rendered = Arc::default();
        versions.by_name.insert(version.to_owned(), Version { rendered: Arc::clone(&rendered), last_request });
        rendered
    }

    /// Drops versions until the rest fits; never `newest`.
    fn evict(&self, newest: &str) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |version: &Version| version.rendered.get().map_or(0, |rendered| rendered.bytes());
        let mut all: usize = versions.by_name.values().map(bytes).sum();
        while all > self.bytes_max || versions.by_name.len() > VERSIONS_MAX {
            let others = versions.by_name.iter().filter(|(name, _)| *name != newest);
            let Some(oldest) = others.min_by_key(|(_, version)| version.last_request).map(|(name, _)| name.clone())
            else {
                break;
            };
            all -= versions.by_name.remove(&oldest).map_or(0, |version| bytes(&version));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn version_is_rendered_once_for_concurrent_requests() {
        let cache = Arc::new(RenderCache::new(1_000));
        let renders = Arc::new(AtomicUsize::new(0));
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (cache, renders) = (Arc::clone(&cache), Arc::clone(&renders));
            requests.spawn(async move {
                let render = move || {
                    renders.fetch_add(1, Ordering::Relaxed);
                    Precompressed::incompressible(10)
                };
                cache.get("one", render).await.unwrap().plain().as_ptr() as usize
            });
        }
        let shared = requests.join_all().await;
        assert_eq!(renders.load(Ordering::Relaxed), 1);
        assert!(shared.iter().all(|bytes| *bytes == shared[0]), "all requests share the same bytes");
    }

    #[tokio::test]
    async fn least_recently_requested_version_is_evicted() {
        let cache = RenderCache::new(25);
        for version in ["a", "b", "a", "c"] {
            cache.get(version, || Precompressed::incompressible(10)).await.unwrap();
        }
        let versions = cache.versions.lock().unwrap();
        let mut names: Vec<_> = versions.by_name.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "c"]);
    }

    #[tokio::test]
    async fn version_above_the_limit_is_answered_and_stored_alone() {
        let cache = RenderCache::new(5);
        for version in ["a", "b"] {
            assert_eq!(cache.get(version, || Precompressed::incompressible(10)).await.unwrap().plain().len(), 10);
        }
        assert_eq!(cache.versions.lock().unwrap().by_name.len(), 1);
    }
}
