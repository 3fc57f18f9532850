//! Lets one log line through per interval and counts the others, for events that strangers can cause as often as they like.
//!
//! Never: the only trace of an event; each is counted as a metric by the caller.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The lines of one kind.
#[derive(Debug)]
pub struct LogInterval {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: Option<Instant>,
    suppressed: u64,
}

impl LogInterval {
    /// At most one line per `interval`.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, state: Mutex::new(State { next: None, suppressed: 0 }) }
    }

    /// How many events were not logged since the last line, where a line may be written now.
    pub fn due(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.next.is_some_and(|next| now < next) {
            state.suppressed += 1;
            return None;
        }
        state.next = Some(now + self.interval);
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_line_per_interval_says_how_many_were_left_out() {
        let interval = LogInterval::new(Duration::from_secs(60));
        assert_eq!(interval.due(), Some(0));
        for _ in 0..500 {
            assert_eq!(interval.due(), None);
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(interval.due(), Some(500));
        assert_eq!(interval.due(), None);
    }
}
