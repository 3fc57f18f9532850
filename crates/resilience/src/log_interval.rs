//! Limits a log line to one per interval and counts the suppressed ones, for events that anonymous clients can cause at will.
//!
//! Never: the only trace of an event; the caller counts each as a metric.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The rate limit of one kind of log line.
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

    /// The number of lines suppressed since the last one, if a line is due now; `None` suppresses this one.
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
    async fn line_after_an_interval_reports_how_many_were_suppressed() {
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
