//! Carries one absolute deadline of a request through everything the request calls, as a task-local.
//!
//! Never: a timeout that starts again at each step. The web layer runs a request inside [`Deadline::scope`]; a [`crate::Guard`] takes the earlier
//! of that deadline and its own (P9).

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

tokio::task_local! {
    static CURRENT: Deadline;
}

/// The moment after which a reply is useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The deadline passed; the work was cancelled where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct DeadlineExceeded;

impl Deadline {
    /// The moment `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        let now = Instant::now();
        // A century stands for a span that the clock cannot represent.
        Self(now.checked_add(span).unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 86_400)))
    }

    /// The deadline of the request that this task serves, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// The moment `span` from now, capped by the deadline of the request.
    #[must_use]
    pub fn after_capped(span: Duration) -> Self {
        let own = Self::after(span);
        Self::current().map_or(own, |current| current.min(own))
    }

    /// The time left; zero after the deadline.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether no time is left.
    #[must_use]
    pub fn passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// Runs `work` until the deadline; does not begin it if no time is left.
    ///
    /// # Errors
    /// [`DeadlineExceeded`]; calls that `work` sent before may have arrived.
    pub async fn timeout<F: Future>(self, work: F) -> Result<F::Output, DeadlineExceeded> {
        if self.passed() {
            return Err(DeadlineExceeded);
        }
        timeout_at(self.0, work).await.map_err(|_| DeadlineExceeded)
    }

    /// Runs a request under this deadline, or under the current one if that is earlier, and cancels the request when it passes.
    ///
    /// # Errors
    /// [`DeadlineExceeded`].
    pub async fn scope<F: Future>(self, request: F) -> Result<F::Output, DeadlineExceeded> {
        let earlier = Self::current().map_or(self, |current| current.min(self));
        CURRENT.scope(earlier, earlier.timeout(request)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn work_in_time_returns_and_late_work_is_cancelled() {
        let deadline = Deadline::after(SECOND);
        assert_eq!(deadline.timeout(async { 1 }).await, Ok(1));
        assert_eq!(deadline.timeout(sleep(SECOND * 2)).await, Err(DeadlineExceeded));
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_is_absolute_across_steps() {
        let deadline = Deadline::after(SECOND);
        let step = Duration::from_millis(400);
        assert_eq!(deadline.timeout(sleep(step)).await, Ok(()));
        assert_eq!(deadline.timeout(sleep(step)).await, Ok(()));
        assert_eq!(deadline.timeout(sleep(step)).await, Err(DeadlineExceeded));
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_not_begun_after_the_deadline() {
        let deadline = Deadline::after(SECOND);
        advance(SECOND).await;
        let mut begun = false;
        assert_eq!(deadline.timeout(async { begun = true }).await, Err(DeadlineExceeded));
        assert!(!begun);
    }

    #[tokio::test(start_paused = true)]
    async fn call_inside_a_request_gets_the_earlier_deadline() {
        assert_eq!(Deadline::current(), None);
        let request = Deadline::after(SECOND);
        let seen = request
            .scope(async {
                let inner = Deadline::after(SECOND * 9).scope(async { Deadline::current() }).await;
                (Deadline::after_capped(SECOND * 9), Deadline::after_capped(SECOND / 2), inner)
            })
            .await;
        assert_eq!(seen, Ok((request, Deadline::after(SECOND / 2), Ok(Some(request)))));
    }

    #[tokio::test(start_paused = true)]
    async fn endless_span_does_not_overflow() {
        assert!(Deadline::after(Duration::MAX).remaining() > Duration::from_secs(86_400));
    }
}
