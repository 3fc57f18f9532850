//! What lists and figures said last, with the moment of it, for when their store is away (P10).
//!
//! Never: read while the store answers, a basis of any decision, an entry without its age, anything of one tenant under another's key (P7: the
//! organization is part of `K`). To keep another kind of answer: one more of these, with its own key.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// What was known longer ago than this is not shown any more.
pub const USABLE: Duration = Duration::from_secs(3_600);
/// The most answers of one kind; a page of a list is some ten kilobytes.
pub const ANSWERS: usize = 512;

/// The last answer by what was asked.
pub struct LastKnown<K, V> {
    entries: quick_cache::sync::Cache<K, Known<V>>,
    environment: Arc<dyn Environment>,
}

/// An answer, and when it was given.
#[derive(Debug, Clone)]
pub struct Known<V> {
    /// The answer.
    pub value: V,
    /// When it was true.
    pub at: Timestamp,
}

impl<K: Eq + Hash, V: Clone> LastKnown<K, V> {
    /// Nothing is known.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        Self { entries: quick_cache::sync::Cache::new(ANSWERS), environment }
    }

    /// Keeps an answer that was given now.
    pub fn keep(&self, asked: K, value: V) {
        self.entries.insert(asked, Known { value, at: self.environment.now() });
    }

    /// What was answered last, where that is not too long ago.
    pub fn recall(&self, asked: &K) -> Option<Known<V>> {
        let known = self.entries.get(asked)?;
        (self.environment.now().since(known.at) < USABLE).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Clock;

    #[test]
    fn the_last_answer_is_recalled_with_its_moment_until_it_is_too_old() {
        let clock = Arc::new(Clock::default());
        let answers: LastKnown<(u8, &str), u32> = LastKnown::new(clock.clone());
        assert!(answers.recall(&(1, "orders")).is_none(), "never asked");
        answers.keep((1, "orders"), 10);
        let first = clock.now();
        clock.advance(5);
        answers.keep((1, "orders"), 11);
        let known = answers.recall(&(1, "orders")).unwrap();
        assert_eq!((known.value, known.at.since(first)), (11, Duration::from_secs(5)));
        assert!(answers.recall(&(2, "orders")).is_none(), "another tenant's");
        clock.advance(USABLE.as_secs() as i64 - 1);
        assert_eq!(answers.recall(&(1, "orders")).map(|known| known.value), Some(11));
        clock.advance(1);
        assert!(answers.recall(&(1, "orders")).is_none(), "too old to be shown");
    }

    #[test]
    fn it_never_grows_beyond_its_limit() {
        let answers = LastKnown::new(Arc::new(Clock::default()));
        (0..10 * ANSWERS).for_each(|asked| answers.keep(asked, ()));
        assert!(answers.entries.len() <= ANSWERS);
    }
}
