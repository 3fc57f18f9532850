//! A moment after which nobody waits any more, set where a request enters and carried through everything it calls.
//!
//! Never: a timeout that starts again at each step. The surface runs a request inside [`Deadline::carry`]; a [`crate::Guard`] takes the
//! earlier of that and its own (P9).

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

tokio::task_local! {
    static CARRIED: Deadline;
}

/// The moment after which an answer is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The deadline passed; what ran was dropped where it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct DeadlineExceeded;

impl Deadline {
    /// The moment `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        let now = Instant::now();
        // A span past the end of the clock is as good as a century.
        Self(now.checked_add(span).unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 86_400)))
    }

    /// The deadline of the request that is being served in this task, if one is.
    #[must_use]
    pub fn carried() -> Option<Self> {
        CARRIED.try_with(|deadline| *deadline).ok()
    }

    /// `span` from now, but never later than the request's own deadline.
    #[must_use]
    pub fn within(span: Duration) -> Self {
        let own = Self::after(span);
        Self::carried().map_or(own, |carried| carried.min(own))
    }

    /// Time that is left; zero once passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// True once there is no time left.
    #[must_use]
    pub fn passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// Runs `work` as long as there is time; where there is none left, `work` is not even begun.
    ///
    /// # Errors
    /// [`DeadlineExceeded`]; what `work` had sent by then may have arrived.
    pub async fn wrap<F: Future>(self, work: F) -> Result<F::Output, DeadlineExceeded> {
        if self.passed() {
            return Err(DeadlineExceeded);
        }
        timeout_at(self.0, work).await.map_err(|_| DeadlineExceeded)
    }

    /// Runs a request that carries this deadline, or an earlier one that is carried already, and drops it when it passes.
    ///
    /// # Errors
    /// [`DeadlineExceeded`].
    pub async fn carry<F: Future>(self, request: F) -> Result<F::Output, DeadlineExceeded> {
        let earlier = Self::carried().map_or(self, |carried| carried.min(self));
        CARRIED.scope(earlier, earlier.wrap(request)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn work_that_ends_in_time_answers_and_late_work_is_dropped() {
        let deadline = Deadline::after(SECOND);
        assert_eq!(deadline.wrap(async { 1 }).await, Ok(1));
        assert_eq!(deadline.wrap(sleep(SECOND * 2)).await, Err(DeadlineExceeded));
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_absolute_across_steps() {
        let deadline = Deadline::after(SECOND);
        let step = Duration::from_millis(400);
        assert_eq!(deadline.wrap(sleep(step)).await, Ok(()));
        assert_eq!(deadline.wrap(sleep(step)).await, Ok(()));
        assert_eq!(deadline.wrap(sleep(step)).await, Err(DeadlineExceeded));
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_not_begun_without_time_left() {
        let deadline = Deadline::after(SECOND);
        advance(SECOND).await;
        let mut begun = false;
        assert_eq!(deadline.wrap(async { begun = true }).await, Err(DeadlineExceeded));
        assert!(!begun);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_called_inside_a_request_gets_the_earlier_deadline() {
        assert_eq!(Deadline::carried(), None);
        let request = Deadline::after(SECOND);
        let seen = request
            .carry(async {
                let inner = Deadline::after(SECOND * 9).carry(async { Deadline::carried() }).await;
                (Deadline::within(SECOND * 9), Deadline::within(SECOND / 2), inner)
            })
            .await;
        assert_eq!(seen, Ok((request, Deadline::after(SECOND / 2), Ok(Some(request)))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_span_does_not_overflow() {
        assert!(Deadline::after(Duration::MAX).remaining() > Duration::from_secs(86_400));
    }
}
