//! One guard per remote dependency: deadline → bulkhead → (breaker → attempt, again while retries are allowed).
//!
//! Never: a call that waits without limit (P9), a repeat of a call that may have been done unless the caller says that repeating is harmless
//! (P2). Every answer says which layer gave it and whether the call may have been sent. To guard a dependency: a `const` [`GuardLimit`] beside
//! its client, one [`Guard`] in the wiring, reporting into its health cell.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::resilience::{self as metrics, GuardEnd, Retry};

use crate::breaker::{Breaker, BreakerLimit, BreakerState};
use crate::bulkhead::{Bulkhead, BulkheadLimit};
use crate::deadline::Deadline;
use crate::health::{Capabilities, Dependency, Health};
use crate::retry::{RetryBudget, RetryBudgetLimit, RetryPolicy};

mod error;

pub use error::GuardError;

/// Every limit of one dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardLimit {
    /// The dependency's name in metrics and logs; the bulkhead has its own.
    pub name: &'static str,
    /// The whole call, waiting and retries included; a request's own deadline may be earlier.
    pub deadline: Duration,
    /// One attempt.
    pub attempt: Duration,
    /// How many at once.
    pub bulkhead: BulkheadLimit,
    /// When to stop asking.
    pub breaker: BreakerLimit,
    /// How to ask again.
    pub retry: RetryPolicy,
    /// How often that may happen among all calls.
    pub budget: RetryBudgetLimit,
}

/// May the call be made again after it may have been done?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Yes: it reads, or carries a key by which the other side recognises it.
    Harmless,
    /// No: only where the first surely was not sent.
    OnlyUnsent,
}

/// What an error of the dependency means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The dependency is well and said no; asking again brings the same.
    Answered,
    /// A fault before anything was sent (no connection, no address).
    NotSent,
    /// A fault after which nobody knows whether it was done.
    MayBeDone,
}

/// The guard of one dependency.
pub struct Guard {
    limit: GuardLimit,
    bulkhead: Bulkhead,
    breaker: Breaker,
    budget: RetryBudget,
    seed: AtomicU64,
}

impl Guard {
    /// A guard with these limits; `seed` spreads the waits of this process apart from others'.
    #[must_use]
    pub fn new(limit: GuardLimit, seed: u64) -> Self {
        Self {
            limit,
            bulkhead: Bulkhead::new(limit.bulkhead),
            breaker: Breaker::new(limit.name, limit.breaker),
            budget: RetryBudget::new(limit.budget),
            seed: AtomicU64::new(seed),
        }
    }

    /// The same guard, reporting the dependency down while its breaker is open.
    #[must_use]
    pub fn reporting(mut self, capabilities: Capabilities, dependency: Dependency) -> Self {
        self.breaker = self.breaker.on_change(move |state| match state {
            BreakerState::Open => capabilities.report(dependency, Health::Down),
            BreakerState::Closed => capabilities.report(dependency, Health::Up),
            // Not known until the probes are back.
            BreakerState::HalfOpen => {}
        });
        self
    }

    /// Its breaker, to read or to force.
    #[must_use]
    pub const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Makes a call: `attempt` makes the future of one attempt, `judge` says what an error means.
    ///
    /// # Errors
    /// [`GuardError`], which says which layer ended it and whether it may have been done.
    pub async fn call<T, E, F, Fut>(
        &self,
        repeat: Repeat,
        attempt: F,
        judge: impl Fn(&E) -> Verdict,
    ) -> Result<T, GuardError<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let watch = Stopwatch::start();
        let deadline = Deadline::within(self.limit.deadline);
        let mut may_be_done = false;
        let work = async {
            let _place = self.bulkhead.enter().await.map_err(GuardError::Bulkhead)?;
            self.attempts(repeat, attempt, judge, deadline, &mut may_be_done).await
        };
        let outcome = deadline.wrap(work).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(GuardError::Deadline { dependency: self.limit.name, may_be_done }));
        let end = outcome.as_ref().map_or_else(GuardError::end, |_| GuardEnd::Answered);
        metrics::guarded_call(self.limit.name, end, watch.elapsed());
        outcome
    }

    /// Attempts until one is answered or no more are allowed. `may_be_done` stays true once an attempt ended in doubt.
    async fn attempts<T, E, F, Fut>(
        &self,
        repeat: Repeat,
        mut attempt: F,
        judge: impl Fn(&E) -> Verdict,
        deadline: Deadline,
        may_be_done: &mut bool,
    ) -> Result<T, GuardError<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let dependency = self.limit.name;
        let mut waits = self.limit.retry.waits(self.seed.fetch_add(1, Ordering::Relaxed));
        let mut last = None;
        self.budget.deposit();
        loop {
            // Whoever waited until now must not begin what nobody waits for.
            if deadline.passed() {
                return Err(GuardError::Deadline { dependency, may_be_done: *may_be_done });
            }
            let permit = match self.breaker.permit() {
                Ok(permit) => permit,
                Err(open) => return Err(last.unwrap_or(GuardError::Breaker { dependency, open })),
            };
            let before = std::mem::replace(may_be_done, true);
            let error = match timeout(self.limit.attempt, attempt()).await {
                Ok(Ok(answer)) => {
                    permit.succeeded();
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    let verdict = judge(&error);
                    *may_be_done = before || verdict == Verdict::MayBeDone;
                    if verdict == Verdict::Answered {
                        permit.succeeded();
                        return Err(GuardError::Failed { dependency, error, may_be_done: before });
                    }
                    permit.failed();
                    GuardError::Failed { dependency, error, may_be_done: *may_be_done }
                }
                Err(_) => {
                    permit.failed();
                    GuardError::Deadline { dependency, may_be_done: true }
                }
            };
            if *may_be_done && repeat == Repeat::OnlyUnsent {
                return Err(error);
            }
            let Some(wait) = self.next_wait(&mut waits, deadline) else { return Err(error) };
            last = Some(error);
            sleep(wait).await;
        }
    }

    /// The wait before another attempt, where policy, deadline and budget allow one.
    fn next_wait(&self, waits: &mut impl Iterator<Item = Duration>, deadline: Deadline) -> Option<Duration> {
        if self.limit.retry.retries == 0 {
            return None;
        }
        let wait = waits.next();
        let retry = match wait {
            None => Retry::NoMore,
            Some(wait) if deadline.remaining() <= wait => Retry::NoTime,
            Some(_) if !self.budget.withdraw() => Retry::NoBudget,
            Some(_) => Retry::Made,
        };
        metrics::retry(self.limit.name, retry);
        if retry != Retry::Made {
            tracing::warn!(dependency = self.limit.name, why = retry.as_str(), "gave up retrying");
            return None;
        }
        wait
    }
}

#[cfg(test)]
mod tests;
