//! A spell of refusals: one log line when it begins and one when it is over, however many thousand were refused in between.
//!
//! Never: a line per refusal; each is counted as a metric by whoever refuses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A spell is over when something passes after so long without a refusal.
const QUIET: Duration = Duration::from_secs(1);

/// One thing that can refuse, by kind (`bulkhead`, `rate_limit`) and name.
#[derive(Debug)]
pub(crate) struct Episode {
    kind: &'static str,
    name: String,
    on: AtomicBool,
    spell: Mutex<Option<Spell>>,
}

#[derive(Debug, Clone, Copy)]
struct Spell {
    refused: u64,
    last: Instant,
}

impl Episode {
    pub(crate) fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), on: AtomicBool::new(false), spell: Mutex::new(None) }
    }

    /// Something was refused; true where that begins a spell.
    pub(crate) fn refused(&self) -> bool {
        let mut spell = self.spell.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = spell.is_none();
        let refused = spell.map_or(0, |spell| spell.refused) + 1;
        *spell = Some(Spell { refused, last: Instant::now() });
        self.on.store(true, Ordering::Release);
        if begins {
            tracing::warn!(kind = self.kind, name = self.name, "refusing began");
        }
        begins
    }

    /// Something passed; the number refused where that ends a spell.
    pub(crate) fn passed(&self) -> Option<u64> {
        if !self.on.load(Ordering::Acquire) {
            return None;
        }
        let mut spell = self.spell.lock().unwrap_or_else(PoisonError::into_inner);
        let over = spell.filter(|spell| spell.last.elapsed() >= QUIET)?;
        *spell = None;
        self.on.store(false, Ordering::Release);
        tracing::info!(kind = self.kind, name = self.name, refused = over.refused, "refusing ended");
        Some(over.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_spell_begins_once_and_ends_after_quiet() {
        let episode = Episode::new("bulkhead", "test");
        assert_eq!(episode.passed(), None);
        assert!(episode.refused());
        assert!(!episode.refused());
        assert_eq!(episode.passed(), None, "not yet quiet");
        tokio::time::advance(QUIET).await;
        assert_eq!(episode.passed(), Some(2));
        assert_eq!(episode.passed(), None);
        assert!(episode.refused(), "the next refusal begins a new spell");
    }
}
