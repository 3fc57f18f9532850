//! Limits how many streams, connections or bodies each key (an address, a session, an organization) has open at once, by permits (P9).
//!
//! Never: more entries than permits; a key without a permit has no entry. [`KeyedConcurrency::try_acquire`] refuses at once, without a queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use voelgoed_telemetry::metrics::resilience as metrics;

use crate::outage_log::OutageLog;

/// A named limit of the permits of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedConcurrencyLimit {
    /// The stable name in metrics, logs and errors, e.g. `connections_per_address_max`.
    pub name: &'static str,
    /// Permits of one key at the same time.
    pub permits_max: usize,
}

/// The key has all its permits in use; nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} at the same time (`{}`)", limit.permits_max, limit.name)]
pub struct KeyedConcurrencyFull {
    /// The limit that was reached.
    pub limit: KeyedConcurrencyLimit,
}

/// The permits of one named limit.
#[derive(Debug)]
pub struct KeyedConcurrency<K: Hash + Eq + Clone> {
    limit: KeyedConcurrencyLimit,
    open: Arc<Mutex<HashMap<K, usize>>>,
    outages: OutageLog,
}

/// One permit of a key; dropping it returns it.
#[derive(Debug)]
#[must_use = "dropping the permit returns it"]
pub struct KeyedPermit<K: Hash + Eq + Clone> {
    key: K,
    open: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Hash + Eq + Clone> KeyedConcurrency<K> {
    /// Starts with no permit in use.
    #[must_use]
    pub fn new(limit: KeyedConcurrencyLimit) -> Self {
        Self { limit, open: Arc::default(), outages: OutageLog::new("keyed_concurrency", limit.name) }
    }

    /// Takes one permit of `key`.
    ///
    /// # Errors
    /// [`KeyedConcurrencyFull`], at once, if all permits of the key are in use.
    pub fn try_acquire(&self, key: K) -> Result<KeyedPermit<K>, KeyedConcurrencyFull> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&key).copied().unwrap_or_default();
        if count >= self.limit.permits_max {
            drop(open);
            self.outages.refused();
            metrics::bulkhead_rejected(self.limit.name);
            return Err(KeyedConcurrencyFull { limit: self.limit });
        }
        open.insert(key.clone(), count + 1);
        drop(open);
        self.outages.passed();
        Ok(KeyedPermit { key, open: Arc::clone(&self.open) })
    }

    /// The permits of `key` in use.
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

    const LIMIT: KeyedConcurrencyLimit = KeyedConcurrencyLimit { name: "test", permits_max: 2 };

    #[tokio::test(start_paused = true)]
    async fn key_at_its_limit_is_refused_while_others_are_admitted() {
        let limit = KeyedConcurrency::new(LIMIT);
        let first = limit.try_acquire("a").unwrap();
        let _second = limit.try_acquire("a").unwrap();
        assert_eq!(limit.try_acquire("a").map(drop), Err(KeyedConcurrencyFull { limit: LIMIT }));
        assert!(limit.try_acquire("b").is_ok());
        drop(first);
        assert!(limit.try_acquire("a").is_ok(), "a dropped permit is returned");
        assert_eq!(limit.open(&"a"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn key_without_permits_has_no_entry() {
        let limit = KeyedConcurrency::new(LIMIT);
        for key in 0..1_000 {
            drop(limit.try_acquire(key).unwrap());
        }
        assert!(limit.open.lock().unwrap().is_empty());
    }
}
