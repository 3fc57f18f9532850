//! Remembers the idempotency keys of orders that this node sent to cold, so that a client that lost the answer gets it while orders are refused (P3, P10).
//!
//! A hint: cold has the answer. Other keys are not looked up in cold, so that refusals stay cheap; a client that repeats on another node, or after a restart,
//! is refused until orders are possible again. Never: more than [`KEYS_MAX`] keys (P9).

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use voelgoed_resilience::{Dependency, DependencyHealth};

use super::Checkout;

/// Remembered keys; the oldest are dropped. At the highest commit rate they cover half a minute, and clients repeat within seconds.
pub const KEYS_MAX: usize = 100_000;

/// The keys as digests; a collision costs one read of cold.
#[derive(Debug, Default)]
pub struct PlacedOrderKeys {
    hasher: RandomState,
    recent: Mutex<RecentKeys>,
}

#[derive(Debug, Default)]
struct RecentKeys {
    digests: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

impl PlacedOrderKeys {
    /// Remembers the key of an order that is sent to cold now.
    pub(super) fn insert(&self, key: &str) {
        let digest = self.hasher.hash_one(key);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !recent.digests.insert(digest) {
            return;
        }
        recent.oldest_first.push_back(digest);
        if recent.oldest_first.len() > KEYS_MAX
            && let Some(oldest) = recent.oldest_first.pop_front()
        {
            recent.digests.remove(&oldest);
        }
    }

    fn contains(&self, key: &str) -> bool {
        let digest = self.hasher.hash_one(key);
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).digests.contains(&digest)
    }
}

impl Checkout {
    /// Whether cold is up and may have the stored answer of an order that is refused now.
    #[must_use]
    pub fn may_have_stored_answer(&self, key: &str) -> bool {
        self.context.capabilities.health(Dependency::Cold) == DependencyHealth::Up && self.placed_keys.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_key_is_dropped_at_the_limit() {
        let keys = PlacedOrderKeys::default();
        keys.insert("first");
        (2..=KEYS_MAX).for_each(|number| keys.insert(&number.to_string()));
        keys.insert("first");
        assert!(keys.contains("first"), "a repeated key evicts no other");
        keys.insert("one more");
        assert!(!keys.contains("first"));
        assert!(keys.contains("2"));
        assert!(keys.contains("one more"));
    }
}
