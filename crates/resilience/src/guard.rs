//! Wraps calls to one remote dependency: deadline → bulkhead → (breaker → attempt, repeated while retries are allowed).
//!
//! Every wait has a limit (P9). A call that may have been executed is retried only if the caller declares it idempotent (P2). Every error names the layer
//! that ended the call, and whether the call may have been done. To guard a dependency: a `const` [`GuardLimit`] beside its client, and one [`Guard`] in the
//! wiring that reports the dependency's health.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::resilience::{self as metrics, GuardEnd, RetryOutcome};

use crate::breaker::{Breaker, BreakerLimit, BreakerState};
use crate::bulkhead::{Bulkhead, BulkheadLimit};
use crate::deadline::Deadline;
use crate::health::{Capabilities, Dependency, DependencyHealth};
use crate::retry::{RetryBudget, RetryBudgetLimit, RetryPolicy};

mod error;

pub use error::GuardError;

/// All limits of the calls to one dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardLimit {
    /// The name in metrics and logs; the bulkhead has its own name.
    pub name: &'static str,
    /// The whole call with waiting and retries; the request's own deadline may be earlier.
    pub deadline: Duration,
    /// The timeout of one attempt.
    pub attempt_timeout: Duration,
    /// Calls at once.
    pub bulkhead: BulkheadLimit,
    /// When calls are refused because too many failed.
    pub breaker: BreakerLimit,
    /// The number and backoff of retries of one call.
    pub retry: RetryPolicy,
    /// The share of retries among all calls.
    pub retry_budget: RetryBudgetLimit,
}

/// Whether a call may be repeated although the first attempt may have been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetrySafety {
    /// Repeating is harmless: the call only reads, or carries a key that the server deduplicates by.
    Idempotent,
    /// Repeat only if no earlier attempt was sent.
    OnlyIfUnsent,
}

/// The kind of a failed call, which decides about a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// The dependency is healthy and refused the call; a retry would be refused too.
    Rejected,
    /// The call failed before it was sent (no connection, no address).
    NotSent,
    /// The call was sent and its outcome is unknown.
    Ambiguous,
}

/// The guard of one dependency.
pub struct Guard {
    limit: GuardLimit,
    bulkhead: Bulkhead,
    breaker: Breaker,
    retry_budget: RetryBudget,
    seed: AtomicU64,
}

impl Guard {
    /// A guard with these limits; `seed` makes the jitter of this process differ from other processes.
    #[must_use]
    pub fn new(limit: GuardLimit, seed: u64) -> Self {
        Self {
            limit,
            bulkhead: Bulkhead::new(limit.bulkhead),
            breaker: Breaker::new(limit.name, limit.breaker),
            retry_budget: RetryBudget::new(limit.retry_budget),
            seed: AtomicU64::new(seed),
        }
    }

    /// Reports the dependency as down while the breaker is open.
    #[must_use]
    pub fn reporting(mut self, capabilities: Capabilities, dependency: Dependency) -> Self {
        self.breaker = self.breaker.on_change(move |state| match state {
            BreakerState::Open => capabilities.report(dependency, DependencyHealth::Down),
            BreakerState::Closed => capabilities.report(dependency, DependencyHealth::Up),
            // Unknown until the probes have ended.
            BreakerState::HalfOpen => {}
        });
        self
    }

    /// The breaker, for reading or forcing its state.
    #[must_use]
    pub const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Makes a call: `attempt` creates the future of one attempt, `classify` says what an error means.
    ///
    /// # Errors
    /// [`GuardError`], which names the layer that ended the call, and whether the call may have been done.
    pub async fn call<T, E, F, Fut>(
        &self,
        safety: RetrySafety,
        attempt: F,
        classify: impl Fn(&E) -> CallFailure,
    ) -> Result<T, GuardError<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let stopwatch = Stopwatch::start();
        let deadline = Deadline::after_capped(self.limit.deadline);
        let mut ambiguous = false;
        let work = async {
            let _permit = self.bulkhead.enter().await.map_err(GuardError::Bulkhead)?;
            self.attempts(safety, attempt, classify, deadline, &mut ambiguous).await
        };
        let outcome = deadline.timeout(work).await;
        let outcome = outcome.unwrap_or_else(|_| Err(GuardError::Deadline { dependency: self.limit.name, ambiguous }));
        let end = outcome.as_ref().map_or_else(GuardError::end, |_| GuardEnd::Answered);
        metrics::guarded_call(self.limit.name, end, stopwatch.elapsed());
        outcome
    }

    /// Attempts until the dependency replies or no retry is allowed. `ambiguous` stays true once an attempt ended without a known outcome.
    async fn attempts<T, E, F, Fut>(
        &self,
        safety: RetrySafety,
        mut attempt: F,
        classify: impl Fn(&E) -> CallFailure,
        deadline: Deadline,
        ambiguous: &mut bool,
    ) -> Result<T, GuardError<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let dependency = self.limit.name;
        let mut waits = self.limit.retry.waits(self.seed.fetch_add(1, Ordering::Relaxed));
        let mut last = None;
        self.retry_budget.deposit();
        loop {
            // The caller has timed out: an attempt now would have no reader.
            if deadline.passed() {
                return Err(GuardError::Deadline { dependency, ambiguous: *ambiguous });
            }
            let permit = match self.breaker.permit() {
                Ok(permit) => permit,
                Err(open) => return Err(last.unwrap_or(GuardError::Breaker { dependency, open })),
            };
            let before = std::mem::replace(ambiguous, true);
            let error = match timeout(self.limit.attempt_timeout, attempt()).await {
                Ok(Ok(answer)) => {
                    permit.succeeded();
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    let failure = classify(&error);
                    *ambiguous = before || failure == CallFailure::Ambiguous;
                    if failure == CallFailure::Rejected {
                        permit.succeeded();
                        return Err(GuardError::Failed { dependency, error, ambiguous: before });
                    }
                    permit.failed();
                    GuardError::Failed { dependency, error, ambiguous: *ambiguous }
                }
                Err(_) => {
                    permit.failed();
                    GuardError::Deadline { dependency, ambiguous: true }
                }
            };
            if *ambiguous && safety == RetrySafety::OnlyIfUnsent {
                return Err(error);
            }
            let Some(wait) = self.next_wait(&mut waits, deadline) else { return Err(error) };
            last = Some(error);
            sleep(wait).await;
        }
    }

    /// The wait before the next attempt, if policy, deadline and budget allow one.
    fn next_wait(&self, waits: &mut impl Iterator<Item = Duration>, deadline: Deadline) -> Option<Duration> {
        if self.limit.retry.retries_max == 0 {
            return None;
        }
        let wait = waits.next();
        let retry = match wait {
            None => RetryOutcome::NoMore,
            Some(wait) if deadline.remaining() <= wait => RetryOutcome::NoTime,
            Some(_) if !self.retry_budget.withdraw() => RetryOutcome::NoBudget,
            Some(_) => RetryOutcome::Made,
        };
        metrics::retry(self.limit.name, retry);
        if retry != RetryOutcome::Made {
            tracing::warn!(dependency = self.limit.name, why = retry.as_str(), "retries ended");
            return None;
        }
        wait
    }
}

#[cfg(test)]
mod tests;
