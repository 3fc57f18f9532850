//! Bounded cache: serves fresh values, serves stale values while one caller refreshes them, and drops values past their usable age.
//!
//! | state of an entry | served to the caller | loads |
//! |---|---|---|
//! | fresh | the cached value | none |
//! | stale, but usable | the cached value | the first caller refreshes, the others do not wait |
//! | invalidated, but usable | the reloaded value; the cached one if the load fails | one caller reloads, the others wait |
//! | absent, or past its usable age | the loaded value | one caller loads, the others wait |
//!
//! Never: two loads of a key at a time, an entry without an age (P10), a value that was loaded before its key was removed or invalidated.
//! To cache other data: a file that names the data, its ages and its size, and holds one [`Cache`].

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::cache::{CacheRead, cache_read};

mod generations;

use generations::Generations;

/// The size and the ages of a cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheLimits {
    /// The name in metrics.
    pub name: &'static str,
    /// Entries in the cache.
    pub entries_max: usize,
    /// How long a value is served without a refresh.
    pub fresh_for: Duration,
    /// How long a value is served while it is refreshed or cannot be loaded.
    pub usable_for: Duration,
}

/// A bounded cache of values that are loaded from elsewhere.
pub struct Cache<K, V> {
    entries: quick_cache::sync::Cache<K, Arc<Entry<V>>>,
    environment: Arc<dyn Environment>,
    limits: CacheLimits,
    generations: Generations,
    is_cacheable: fn(&V) -> bool,
}

struct Entry<V> {
    value: V,
    loaded_at: Timestamp,
    /// Whether a caller refreshes the value now.
    is_refreshing: AtomicBool,
    /// Whether the value may have changed since it was loaded.
    is_invalidated: AtomicBool,
    /// Serializes the callers that reload an invalidated value.
    reload: Mutex<()>,
    /// Failed reloads of the invalidated value.
    reload_failures: AtomicU64,
}

/// Lets the next caller refresh when a refresh ends without a new value, by an error or by cancellation.
struct RefreshGuard<'a>(&'a AtomicBool);

impl Drop for RefreshGuard<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    /// An empty cache of all values.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>, limits: CacheLimits) -> Self {
        Self::with_filter(environment, limits, |_| true)
    }

    /// An empty cache of the values that `is_cacheable` accepts; any other value is returned without being stored.
    #[must_use]
    pub fn with_filter(environment: Arc<dyn Environment>, limits: CacheLimits, is_cacheable: fn(&V) -> bool) -> Self {
        let entries = quick_cache::sync::Cache::new(limits.entries_max);
        Self { entries, environment, limits, generations: Generations::default(), is_cacheable }
    }

    /// The value of `key`, from the cache or by `load`. Absence must be a value of its own: an error of `load` is a fault, which a usable value hides.
    ///
    /// # Errors
    /// The error of `load`, if no usable value is cached.
    pub async fn get<E>(&self, key: &K, load: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        if let Some(entry) = self.entries.get(key) {
            let age = self.environment.now().since(entry.loaded_at);
            if age < self.limits.usable_for && entry.is_invalidated.load(Ordering::Acquire) {
                cache_read(self.limits.name, CacheRead::Stale);
                return Ok(self.get_invalidated(key, &entry, load).await);
            }
            if age < self.limits.fresh_for {
                cache_read(self.limits.name, CacheRead::Hit);
                return Ok(entry.value.clone());
            }
            if age < self.limits.usable_for {
                cache_read(self.limits.name, CacheRead::Stale);
                return Ok(self.get_stale(key, &entry, load).await);
            }
            self.entries.remove_if(key, |found| Arc::ptr_eq(found, &entry));
        }
        cache_read(self.limits.name, CacheRead::Miss);
        match self.entries.get_value_or_guard_async(key).await {
            Ok(entry) => Ok(entry.value.clone()),
            Err(placeholder) => {
                let generation = self.generations.of(key);
                let value = load.await?;
                // The insertion fails only if the key was removed meanwhile; then the value serves this caller alone.
                self.store(key, &value, generation, |entry| drop(placeholder.insert(entry)));
                Ok(value)
            }
        }
    }

    /// The first caller of a stale value refreshes it; the others take the stale value meanwhile, as does the first if the load fails.
    async fn get_stale<E>(&self, key: &K, entry: &Entry<V>, load: impl Future<Output = Result<V, E>>) -> V {
        if entry.is_refreshing.swap(true, Ordering::AcqRel) {
            return entry.value.clone();
        }
        let _guard = RefreshGuard(&entry.is_refreshing);
        let generation = self.generations.of(key);
        match load.await {
            Ok(value) => {
                self.store(key, &value, generation, |entry| self.entries.insert(key.clone(), entry));
                value
            }
            Err(_) => entry.value.clone(),
        }
    }

    /// One caller reloads an invalidated value while the others wait; all of them get the cached value if the load fails.
    async fn get_invalidated<E>(&self, key: &K, entry: &Arc<Entry<V>>, load: impl Future<Output = Result<V, E>>) -> V {
        let failures = entry.reload_failures.load(Ordering::Acquire);
        let _reload = entry.reload.lock().await;
        if entry.reload_failures.load(Ordering::Acquire) != failures {
            return entry.value.clone();
        }
        if let Some(current) = self.entries.get(key).filter(|current| !Arc::ptr_eq(current, entry))
            && !current.is_invalidated.load(Ordering::Acquire)
        {
            return current.value.clone();
        }
        let generation = self.generations.of(key);
        match load.await {
            Ok(value) => {
                self.store(key, &value, generation, |entry| self.entries.insert(key.clone(), entry));
                value
            }
            Err(_) => {
                entry.reload_failures.fetch_add(1, Ordering::AcqRel);
                entry.value.clone()
            }
        }
    }

    /// Marks the entries that `matches` as possibly changed. A load in flight serves its caller and is not stored.
    pub fn invalidate(&self, matches: impl Fn(&K, &V) -> bool) {
        self.generations.advance_all();
        for (key, entry) in self.entries.iter() {
            if matches(&key, &entry.value) {
                entry.is_invalidated.store(true, Ordering::Release);
            }
        }
    }

    /// Replaces the value of the entries that `matches`. A load in flight serves its caller and is not stored.
    pub fn replace(&self, matches: impl Fn(&K, &V) -> bool, value: &V) {
        self.generations.advance_all();
        let keys = self.entries.iter().filter(|(key, entry)| matches(key, &entry.value)).map(|(key, _)| key);
        for key in keys.collect::<Vec<_>>() {
            self.entries.insert(key, self.entry(value.clone()));
        }
    }

    /// Stores a value that the caller knows to be the newest.
    pub fn put(&self, key: &K, value: &V) {
        let generation = self.generations.of(key);
        self.store(key, value, generation, |entry| self.entries.insert(key.clone(), entry));
    }

    /// Stores a loaded value, unless the generation of its key has advanced since the load began.
    fn store(&self, key: &K, value: &V, generation: u64, insert: impl FnOnce(Arc<Entry<V>>)) {
        let is_outdated = || self.generations.of(key) != generation;
        if !(self.is_cacheable)(value) {
            self.entries.remove(key);
        } else if !is_outdated() {
            insert(self.entry(value.clone()));
            // A removal between the check and the insertion found no entry to remove.
            if is_outdated() {
                self.entries.remove(key);
            }
        }
    }

    /// When the cached value of `key` was loaded.
    pub fn read_at(&self, key: &K) -> Option<Timestamp> {
        self.entries.peek(key).map(|entry| entry.loaded_at)
    }

    /// The cached value of `key` if it is usable; loads nothing.
    #[must_use]
    pub fn peek(&self, key: &K) -> Option<V> {
        let entry = self.entries.peek(key)?;
        let is_usable = self.environment.now().since(entry.loaded_at) < self.limits.usable_for;
        is_usable.then(|| entry.value.clone())
    }

    /// Removes a key. A load of the key in flight serves its caller and is not stored.
    pub fn remove(&self, key: &K) {
        self.generations.advance(key);
        self.entries.remove(key);
    }

    fn entry(&self, value: V) -> Arc<Entry<V>> {
        Arc::new(Entry {
            value,
            loaded_at: self.environment.now(),
            is_refreshing: AtomicBool::new(false),
            is_invalidated: AtomicBool::new(false),
            reload: Mutex::new(()),
            reload_failures: AtomicU64::new(0),
        })
    }
}

#[cfg(test)]
mod tests;
