//! Counts the invalidations of keys, so that a load that began before an invalidation does not bring the old value back.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Keys share this many counters, so that an invalidation of one key does not disturb the loads of most others.
const PARTITIONS: usize = 64;

/// A counter per partition of the keys.
pub(super) struct Generations {
    counters: [AtomicU64; PARTITIONS],
    hasher: RandomState,
}

impl Default for Generations {
    fn default() -> Self {
        Self { counters: std::array::from_fn(|_| AtomicU64::new(0)), hasher: RandomState::new() }
    }
}

impl Generations {
    /// The present generation of a key.
    pub(super) fn of(&self, key: &impl Hash) -> u64 {
        self.counters[self.partition(key)].load(Ordering::Acquire)
    }

    /// Outdates the loads of a key.
    pub(super) fn advance(&self, key: &impl Hash) {
        self.counters[self.partition(key)].fetch_add(1, Ordering::AcqRel);
    }

    /// Outdates all loads.
    pub(super) fn advance_all(&self) {
        for counter in &self.counters {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn partition(&self, key: &impl Hash) -> usize {
        self.hasher.hash_one(key) as usize % PARTITIONS
    }
}
