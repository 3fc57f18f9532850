//! Keeps the last reply to each list request with its time, as the fallback while the store of the list is unavailable (P10).
//!
//! Never: read while the store answers, used for a decision, served to another tenant (P7: the organization is part of `K`). To keep another kind of
//! reply: another [`LastKnown`] with its own key.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// An older reply is not served.
pub const USABLE_FOR: Duration = Duration::from_secs(3_600);
/// Replies of one kind; a page of a list takes some ten kilobytes.
pub const ENTRIES_MAX: usize = 512;

/// The last reply to each request of one kind.
pub struct LastKnown<K, V> {
    entries: quick_cache::sync::Cache<K, LastKnownValue<V>>,
    environment: Arc<dyn Environment>,
}

/// A reply and the time at which it was true.
#[derive(Debug, Clone)]
pub struct LastKnownValue<V> {
    /// The reply.
    pub value: V,
    /// When the store gave the reply.
    pub at: Timestamp,
}

impl<K: Eq + Hash, V: Clone> LastKnown<K, V> {
    /// Starts empty.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        Self { entries: quick_cache::sync::Cache::new(ENTRIES_MAX), environment }
    }

    /// Stores a reply that was given now.
    pub fn store(&self, request: K, value: V) {
        self.entries.insert(request, LastKnownValue { value, at: self.environment.now() });
    }

    /// The last reply, unless it is older than [`USABLE_FOR`].
    pub fn get(&self, request: &K) -> Option<LastKnownValue<V>> {
        let known = self.entries.get(request)?;
        (self.environment.now().since(known.at) < USABLE_FOR).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manual_clock::ManualClock;

    #[test]
    fn last_reply_is_served_with_its_time_until_it_is_too_old() {
        let clock = Arc::new(ManualClock::default());
        let replies: LastKnown<(u8, &str), u32> = LastKnown::new(clock.clone());
        assert!(replies.get(&(1, "orders")).is_none(), "never stored");
        replies.store((1, "orders"), 10);
        let first = clock.now();
        clock.advance(5);
        replies.store((1, "orders"), 11);
        let known = replies.get(&(1, "orders")).unwrap();
        assert_eq!((known.value, known.at.since(first)), (11, Duration::from_secs(5)));
        assert!(replies.get(&(2, "orders")).is_none(), "another tenant's");
        clock.advance(USABLE_FOR.as_secs() as i64 - 1);
        assert_eq!(replies.get(&(1, "orders")).map(|known| known.value), Some(11));
        clock.advance(1);
        assert!(replies.get(&(1, "orders")).is_none(), "too old to be shown");
    }

    #[test]
    fn entries_never_exceed_the_limit() {
        let replies = LastKnown::new(Arc::new(ManualClock::default()));
        (0..10 * ENTRIES_MAX).for_each(|request| replies.store(request, ()));
        assert!(replies.entries.len() <= ENTRIES_MAX);
    }
}
