//! How much each key (an address, a session, an organization) may have open at the same time, as a permit that counts until it is dropped (P9).
//!
//! Never: more entries than permits; a key without a permit is forgotten. [`KeyedConcurrency::try_acquire`] refuses at once and queues nobody.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use voelgoed_telemetry::metrics::resilience as metrics;

use crate::episode::Episode;

/// A named limit of what one key has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedConcurrencyLimit {
    /// Its stable name, e.g. `connections_per_address_max`.
    pub name: &'static str,
    /// So many at the same time.
    pub most: usize,
}

/// The key has as much open as it may; nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} at the same time (`{}`)", limit.most, limit.name)]
pub struct KeyedConcurrencyFull {
    /// The limit that was met.
    pub limit: KeyedConcurrencyLimit,
}

/// The permits of one named limit.
#[derive(Debug)]
pub struct KeyedConcurrency<K: Hash + Eq + Clone> {
    limit: KeyedConcurrencyLimit,
    open: Arc<Mutex<HashMap<K, usize>>>,
    episode: Episode,
}

/// One of a key's permits; dropping it gives it back.
#[derive(Debug)]
#[must_use = "dropping it gives the permit back"]
pub struct KeyedPermit<K: Hash + Eq + Clone> {
    key: K,
    open: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Hash + Eq + Clone> KeyedConcurrency<K> {
    /// Nobody has anything open.
    #[must_use]
    pub fn new(limit: KeyedConcurrencyLimit) -> Self {
        Self { limit, open: Arc::default(), episode: Episode::new("keyed_concurrency", limit.name) }
    }

    /// One more for `key`.
    ///
    /// # Errors
    /// [`KeyedConcurrencyFull`], at once, where the key has as many as it may.
    pub fn try_acquire(&self, key: K) -> Result<KeyedPermit<K>, KeyedConcurrencyFull> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&key).copied().unwrap_or_default();
        if count >= self.limit.most {
            drop(open);
            self.episode.refused();
            metrics::bulkhead_rejected(self.limit.name);
            return Err(KeyedConcurrencyFull { limit: self.limit });
        }
        open.insert(key.clone(), count + 1);
        drop(open);
        self.episode.passed();
        Ok(KeyedPermit { key, open: Arc::clone(&self.open) })
    }

    /// How many `key` has open.
    #[must_use]
    pub fn open(&self, key: &K) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied().unwrap_or_default()
    }
}

impl<K: Hash + Eq + Clone> Drop for KeyedPermit<K> {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: KeyedConcurrencyLimit = KeyedConcurrencyLimit { name: "test", most: 2 };

    #[tokio::test(start_paused = true)]
    async fn a_key_at_its_limit_is_refused_and_others_are_not() {
        let limit = KeyedConcurrency::new(LIMIT);
        let first = limit.try_acquire("a").unwrap();
        let _second = limit.try_acquire("a").unwrap();
        assert_eq!(limit.try_acquire("a").map(drop), Err(KeyedConcurrencyFull { limit: LIMIT }));
        assert!(limit.try_acquire("b").is_ok());
        drop(first);
        assert!(limit.try_acquire("a").is_ok(), "a dropped permit is given back");
        assert_eq!(limit.open(&"a"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_without_permits_is_forgotten() {
        let limit = KeyedConcurrency::new(LIMIT);
        for key in 0..1_000 {
            drop(limit.try_acquire(key).unwrap());
        }
        assert!(limit.open.lock().unwrap().is_empty());
    }
}
