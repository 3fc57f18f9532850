//! Keys of the orders that this node took to cold lately: whoever lost the answer may ask again while orders are refused (P3, P10).
//!
//! A hint and no record: cold alone says what was answered. A key that is not here is not looked for in cold, so that a refusal stays cheap;
//! whoever repeats on another node, or after a restart, is refused until orders are possible again. Never: more than [`MOST`] keys (P9).

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use voelgoed_resilience::{Dependency, Health};

use crate::platform::Platform;

/// Keys that are remembered; the oldest give way. Half a minute of the fastest committer: whoever repeats does so within seconds.
pub const MOST: usize = 100_000;

/// The keys, as digests: two that share one cost a look in cold, no more.
#[derive(Debug, Default)]
pub struct PlacedOrderKeys {
    hasher: RandomState,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    known: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

impl PlacedOrderKeys {
    /// An order with this key goes to cold now.
    pub(super) fn note(&self, key: &str) {
        let digest = self.hasher.hash_one(key);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if !taken.known.insert(digest) {
            return;
        }
        taken.oldest_first.push_back(digest);
        if taken.oldest_first.len() > MOST
            && let Some(oldest) = taken.oldest_first.pop_front()
        {
            taken.known.remove(&oldest);
        }
    }

    fn knows(&self, key: &str) -> bool {
        let digest = self.hasher.hash_one(key);
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).known.contains(&digest)
    }
}

/// Whether an order that is refused now may have been answered before, by cold as it is.
#[must_use]
pub fn may_be_answered(platform: &Platform, key: &str) -> bool {
    platform.capabilities.health(Dependency::Cold) == Health::Up && platform.taken_orders.knows(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_at_the_edge() {
        let orders = PlacedOrderKeys::default();
        orders.note("first");
        (2..=MOST).for_each(|number| orders.note(&number.to_string()));
        orders.note("first");
        assert!(orders.knows("first"), "a repeat takes no place of another");
        orders.note("one more");
        assert!(!orders.knows("first"));
        assert!(orders.knows("2"));
        assert!(orders.knows("one more"));
    }
}
