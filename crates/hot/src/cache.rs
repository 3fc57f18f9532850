//! A bounded cache with an age: fresh values are served, old ones are served while one caller reads anew, too old ones are not served.
//! A value that may have changed is suspect: it is read anew before it is served, and served with its age where it cannot be read.
//!
//! Never: more than one load of a key at a time, an entry without an age (P10), or a value that was loaded before it was forgotten.
//! To cache another thing: a file that names it, its ages and its size, and holds one of these.

use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::cache::{CacheRead, cache_read};

/// What a cache may keep, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct CacheLimits {
    /// Its name in metrics.
    pub name: &'static str,
    /// The most entries.
    pub entries: usize,
    /// So long a value counts as new.
    pub fresh: Duration,
    /// So long it is served while it is read anew, or cannot be.
    pub usable: Duration,
}

/// Forgettings are counted in so many parts, so that one key does not disturb the loads of most others.
const PARTS: usize = 64;

/// A bounded cache of values that are read elsewhere.
pub struct Cache<K, V> {
    entries: quick_cache::sync::Cache<K, Arc<Entry<V>>>,
    environment: Arc<dyn Environment>,
    limits: CacheLimits,
    /// Grows with each forgetting of a key of its part, so that a load that began before does not bring the old value back.
    forgotten: [AtomicU64; PARTS],
    parts: RandomState,
    keeps: fn(&V) -> bool,
}

struct Entry<V> {
    value: V,
    loaded_at: Timestamp,
    /// Whether somebody reads it anew.
    renewing: AtomicBool,
    /// It may have changed since it was read.
    suspect: AtomicBool,
    /// Callers of a suspect value wait here for the one who reads it anew.
    revalidation: Mutex<()>,
    /// How often it could not be read anew while it was suspect.
    failures: AtomicU64,
}

/// Lets the next caller try when a renewal ends without a new value, be it by a fault or by being dropped.
struct Renewal<'a>(&'a AtomicBool);

impl Drop for Renewal<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    /// An empty cache.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>, limits: CacheLimits) -> Self {
        Self::of_those(environment, limits, |_| true)
    }

    /// An empty cache of the values that it `keeps`; any other serves those who asked for it.
    #[must_use]
    pub fn of_those(environment: Arc<dyn Environment>, limits: CacheLimits, keeps: fn(&V) -> bool) -> Self {
        let entries = quick_cache::sync::Cache::new(limits.entries);
        let forgotten = std::array::from_fn(|_| AtomicU64::new(0));
        Self { entries, environment, limits, forgotten, parts: RandomState::new(), keeps }
    }

    /// The value of `key`, from here or by `load`. Absence is a value of its own; an error of `load` is a fault, which an old value hides.
    ///
    /// # Errors
    /// That of `load`, where no usable value is here.
    pub async fn get<E>(&self, key: &K, load: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        if let Some(entry) = self.entries.get(key) {
            let age = self.environment.now().since(entry.loaded_at);
            if age < self.limits.usable && entry.suspect.load(Ordering::Acquire) {
                cache_read(self.limits.name, CacheRead::Stale);
                return Ok(self.revalidated(key, &entry, load).await);
            }
            if age < self.limits.fresh {
                cache_read(self.limits.name, CacheRead::Hit);
                return Ok(entry.value.clone());
            }
            if age < self.limits.usable {
                cache_read(self.limits.name, CacheRead::Stale);
                return Ok(self.renewed(key, &entry, load).await);
            }
            self.entries.remove_if(key, |found| Arc::ptr_eq(found, &entry));
        }
        cache_read(self.limits.name, CacheRead::Miss);
        match self.entries.get_value_or_guard_async(key).await {
            Ok(entry) => Ok(entry.value.clone()),
            Err(place) => {
                let began = self.forgotten(key).load(Ordering::Acquire);
                let value = load.await?;
                // Refused only where the key was removed meanwhile; then the value serves this caller alone.
                self.keep(key, &value, began, |entry| drop(place.insert(entry)));
                Ok(value)
            }
        }
    }

    /// The first who meets an old value reads it anew; the others take the old one meanwhile, as does the first on a fault.
    async fn renewed<E>(&self, key: &K, entry: &Entry<V>, load: impl Future<Output = Result<V, E>>) -> V {
        if entry.renewing.swap(true, Ordering::AcqRel) {
            return entry.value.clone();
        }
        let _renewal = Renewal(&entry.renewing);
        let began = self.forgotten(key).load(Ordering::Acquire);
        match load.await {
            Ok(value) => {
                self.keep(key, &value, began, |entry| self.entries.insert(key.clone(), entry));
                value
            }
            Err(_) => entry.value.clone(),
        }
    }

    /// A suspect value is read anew by one caller while the others wait; all of them get the old one where it cannot be read.
    async fn revalidated<E>(&self, key: &K, entry: &Arc<Entry<V>>, load: impl Future<Output = Result<V, E>>) -> V {
        let failures = entry.failures.load(Ordering::Acquire);
        let _turn = entry.revalidation.lock().await;
        if entry.failures.load(Ordering::Acquire) != failures {
            return entry.value.clone();
        }
        if let Some(current) = self.entries.get(key).filter(|current| !Arc::ptr_eq(current, entry))
            && !current.suspect.load(Ordering::Acquire)
        {
            return current.value.clone();
        }
        let began = self.forgotten(key).load(Ordering::Acquire);
        match load.await {
            Ok(value) => {
                self.keep(key, &value, began, |entry| self.entries.insert(key.clone(), entry));
                value
            }
            Err(_) => {
                entry.failures.fetch_add(1, Ordering::AcqRel);
                entry.value.clone()
            }
        }
    }

    /// Makes the values that `concerns` names suspect. What is being loaded at this moment serves its caller and is not kept.
    pub fn suspect(&self, concerns: impl Fn(&K, &V) -> bool) {
        self.outdate_loads();
        for (key, entry) in self.entries.iter() {
            if concerns(&key, &entry.value) {
                entry.suspect.store(true, Ordering::Release);
            }
        }
    }

    /// Replaces the values that `concerns` names, whatever is being loaded of them at this moment.
    pub fn replace(&self, concerns: impl Fn(&K, &V) -> bool, value: &V) {
        self.outdate_loads();
        let keys = self.entries.iter().filter(|(key, entry)| concerns(key, &entry.value)).map(|(key, _)| key);
        for key in keys.collect::<Vec<_>>() {
            self.entries.insert(key, self.entry(value.clone()));
        }
    }

    /// Keeps a value that the caller knows to be the newest.
    pub fn put(&self, key: &K, value: &V) {
        let began = self.forgotten(key).load(Ordering::Acquire);
        self.keep(key, value, began, |entry| self.entries.insert(key.clone(), entry));
    }

    /// Keeps what was loaded, unless its key was forgotten since the load `began`.
    fn keep(&self, key: &K, value: &V, began: u64, insert: impl FnOnce(Arc<Entry<V>>)) {
        let is_forgotten = || self.forgotten(key).load(Ordering::Acquire) != began;
        if !(self.keeps)(value) {
            self.entries.remove(key);
        } else if !is_forgotten() {
            insert(self.entry(value.clone()));
            // Whoever forgot between the look and the insertion found nothing to remove.
            if is_forgotten() {
                self.entries.remove(key);
            }
        }
    }

    /// When what is served for `key` was read.
    pub fn read_at(&self, key: &K) -> Option<Timestamp> {
        self.entries.peek(key).map(|entry| entry.loaded_at)
    }

    /// What is here of `key`, unless it is too old; nothing is read for it.
    #[must_use]
    pub fn peek(&self, key: &K) -> Option<V> {
        let entry = self.entries.peek(key)?;
        let usable = self.environment.now().since(entry.loaded_at) < self.limits.usable;
        usable.then(|| entry.value.clone())
    }

    /// Forgets a key; what is being loaded at this moment is not kept either.
    pub fn forget(&self, key: &K) {
        self.forgotten(key).fetch_add(1, Ordering::AcqRel);
        self.entries.remove(key);
    }

    fn outdate_loads(&self) {
        for part in &self.forgotten {
            part.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn forgotten(&self, key: &K) -> &AtomicU64 {
        &self.forgotten[self.parts.hash_one(key) as usize % PARTS]
    }

    fn entry(&self, value: V) -> Arc<Entry<V>> {
        Arc::new(Entry {
            value,
            loaded_at: self.environment.now(),
            renewing: AtomicBool::new(false),
            suspect: AtomicBool::new(false),
            revalidation: Mutex::new(()),
            failures: AtomicU64::new(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicUsize;

    use futures::FutureExt;
    use futures::future::{join_all, pending};
    use tokio::sync::Notify;

    use super::*;
    use crate::testing::Clock;

    const LIMITS: CacheLimits =
        CacheLimits { name: "test", entries: 100, fresh: Duration::from_secs(5), usable: Duration::from_secs(60) };

    fn cache(clock: &Arc<Clock>) -> Cache<u32, u32> {
        Cache::new(Arc::clone(clock) as Arc<dyn Environment>, LIMITS)
    }

    async fn load(value: u32) -> Result<u32, &'static str> {
        Ok(value)
    }

    /// 1, once the gate opens.
    async fn load_behind(gate: &Notify) -> Result<u32, Infallible> {
        gate.notified().await;
        Ok(1)
    }

    #[tokio::test]
    async fn a_value_is_fresh_then_old_then_gone() {
        let clock = Arc::new(Clock::default());
        let cache = cache(&clock);
        assert_eq!(cache.get(&1, load(10)).await, Ok(10));
        clock.advance(4);
        assert_eq!(cache.get(&1, load(11)).await, Ok(10), "fresh");
        clock.advance(1);
        assert_eq!(cache.get(&1, async { Err::<u32, _>("away") }).await, Ok(10), "old, and not to be had anew");
        assert_eq!(cache.get(&1, load(12)).await, Ok(12), "the next caller renews it");
        clock.advance(60);
        assert_eq!(cache.get(&1, async { Err::<u32, _>("away") }).await, Err("away"), "too old to be served");
        assert_eq!(cache.get(&1, load(13)).await, Ok(13));
    }

    #[tokio::test]
    async fn a_missing_value_is_loaded_once_for_all_who_wait() {
        let cache = cache(&Arc::default());
        let loads = AtomicUsize::new(0);
        let all = join_all((0..50).map(|_| {
            cache.get(&1, async {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(7)
            })
        }))
        .await;
        assert!(all.iter().all(|answer| *answer == Ok(7)));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_old_value_is_served_while_one_renews_it_even_if_that_one_goes_away() {
        let clock = Arc::new(Clock::default());
        let cache = cache(&clock);
        cache.get(&1, load(1)).await.unwrap();
        clock.advance(6);
        let mut renewing = Box::pin(cache.get(&1, pending::<Result<u32, Infallible>>()));
        assert!(futures::poll!(&mut renewing).is_pending());
        assert_eq!(cache.get(&1, load(2)).await, Ok(1), "served without waiting");
        drop(renewing);
        assert_eq!(cache.get(&1, load(2)).await, Ok(2), "the next one renews");
    }

    #[tokio::test]
    async fn what_was_loaded_before_it_was_forgotten_is_not_kept() {
        let cache = cache(&Arc::default());
        let gate = Notify::new();
        let mut loading = Box::pin(cache.get(&1, load_behind(&gate)));
        assert!(futures::poll!(&mut loading).is_pending());
        cache.forget(&1);
        gate.notify_one();
        assert_eq!(loading.await, Ok(1));
        assert_eq!(cache.get(&1, load(2)).await, Ok(2));
    }

    #[tokio::test]
    async fn who_comes_after_a_forgetting_does_not_join_a_load_from_before_it() {
        let cache = cache(&Arc::default());
        let mut loading = Box::pin(cache.get(&1, pending::<Result<u32, Infallible>>()));
        assert!(futures::poll!(&mut loading).is_pending());
        cache.forget(&1);
        assert_eq!(cache.get(&1, load(2)).now_or_never(), Some(Ok(2)), "it would wait for the old value");
        assert_eq!(cache.get(&1, load(3)).await, Ok(2));
        drop(loading);
        assert_eq!(cache.get(&1, load(4)).await, Ok(2), "the load from before takes nothing with it");
    }

    #[tokio::test]
    async fn what_is_not_to_be_kept_serves_who_asked() {
        let cache = Cache::of_those(Arc::<Clock>::default(), LIMITS, |value: &u32| *value < 10);
        assert_eq!(cache.get(&1, load(10)).await, Ok(10));
        assert_eq!(cache.get(&1, load(11)).await, Ok(11));
        cache.put(&1, &5);
        assert_eq!(cache.get(&1, load(6)).await, Ok(5));
        cache.put(&1, &12);
        assert_eq!(cache.get(&1, load(6)).await, Ok(6), "what was kept is no longer so");
    }

    #[tokio::test]
    async fn a_forgotten_key_leaves_the_loads_of_others_alone() {
        let cache = cache(&Arc::default());
        let part = |key: &u32| std::ptr::from_ref(cache.forgotten(key));
        let other = (2..).find(|key| part(key) != part(&1)).unwrap();
        let gate = Notify::new();
        let mut loading = Box::pin(cache.get(&other, load_behind(&gate)));
        assert!(futures::poll!(&mut loading).is_pending());
        cache.forget(&1);
        gate.notify_one();
        assert_eq!(loading.await, Ok(1));
        assert_eq!(cache.get(&other, load(2)).await, Ok(1), "it was kept");
    }

    #[tokio::test]
    async fn suspect_value_is_read_anew_and_served_with_its_age_while_it_cannot_be() {
        let clock = Arc::new(Clock::default());
        let cache = cache(&clock);
        cache.get(&1, load(10)).await.unwrap();
        cache.get(&2, load(20)).await.unwrap();
        cache.suspect(|key, _| *key == 1);
        assert_eq!(cache.get(&2, load(21)).await, Ok(20), "it is no concern of others");
        for _ in 0..3 {
            assert_eq!(cache.get(&1, async { Err::<u32, _>("away") }).await, Ok(10));
        }
        assert_eq!(cache.read_at(&1), Some(Timestamp::from_micros(0)), "its age is that of the read");
        clock.advance(30);
        assert_eq!(cache.get(&1, async { Err::<u32, _>("away") }).await, Ok(10));
        assert_eq!(cache.get(&1, load(11)).await, Ok(11), "read anew once that is possible");
        assert_eq!(cache.get(&1, load(12)).await, Ok(11), "and fresh from then on");
        cache.suspect(|_, _| true);
        clock.advance(60);
        assert_eq!(cache.get(&1, async { Err::<u32, _>("away") }).await, Err("away"), "not beyond its limit");
    }

    #[tokio::test]
    async fn callers_of_a_suspect_value_share_one_read() {
        let cache = cache(&Arc::default());
        cache.get(&1, load(1)).await.unwrap();
        let loads = AtomicUsize::new(0);
        for (answer, expected) in [(Err("away"), 1), (Ok(2), 2)] {
            cache.suspect(|_, _| true);
            loads.store(0, Ordering::Relaxed);
            let all = join_all((0..50).map(|_| {
                cache.get(&1, async {
                    loads.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    answer
                })
            }));
            assert!(all.await.iter().all(|found| *found == Ok(expected)));
            assert_eq!(loads.load(Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn replaced_value_is_not_brought_back_by_a_read_from_before() {
        let cache = cache(&Arc::default());
        cache.get(&1, load(1)).await.unwrap();
        cache.suspect(|_, _| true);
        let gate = Notify::new();
        let mut loading = Box::pin(cache.get(&1, load_behind(&gate)));
        assert!(futures::poll!(&mut loading).is_pending());
        cache.replace(|key, _| *key == 1, &0);
        gate.notify_one();
        assert_eq!(loading.await, Ok(1), "it serves the one who asked before");
        assert_eq!(cache.get(&1, load(9)).await, Ok(0));
    }

    #[tokio::test]
    async fn it_never_grows_beyond_its_limit() {
        let cache = cache(&Arc::default());
        for key in 0..1000 {
            cache.get(&key, load(key)).await.unwrap();
        }
        assert!(cache.entries.len() <= 100);
    }
}
