//! Computes the waits between retries (exponential backoff with full jitter), and counts the budget that limits retries to a small share of all calls.
//!
//! The loop that retries is in [`crate::guard`]. Never: retries at two layers; the guard retries a call, jobs retry whole runs. The backoff is backon's;
//! full jitter is a random wait between zero and the backoff, so that calls that failed together do not retry together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

/// The number and the backoff of retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub retries_max: usize,
    /// The upper bound of the first wait; each next bound doubles.
    pub first_wait_max: Duration,
    /// The upper bound of every wait.
    pub wait_max: Duration,
}

impl RetryPolicy {
    /// No retry.
    pub const NEVER: Self = Self { retries_max: 0, first_wait_max: Duration::ZERO, wait_max: Duration::ZERO };

    /// The wait before each retry; deterministic for a seed.
    pub fn waits(self, seed: u64) -> impl Iterator<Item = Duration> + Send {
        let plain = ExponentialBuilder::new()
            .with_min_delay(self.first_wait_max)
            .with_max_delay(self.wait_max)
            .with_max_times(self.retries_max);
        // backon adds a random share to the wait; the share alone is full jitter.
        let jittered = plain.with_jitter().with_jitter_seed(seed);
        jittered.build().zip(plain.build()).map(|(jittered, plain)| jittered.saturating_sub(plain))
    }
}

/// The retries allowed among all calls of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetLimit {
    /// Retries per hundred first attempts.
    pub percent_of_calls: u32,
    /// Retries per second independent of the number of calls, so that a rare call can be retried.
    pub per_second: u32,
    /// The upper bound of unused retries.
    pub balance_max: u32,
}

/// A token bucket of retries that calls and time fill.
#[derive(Debug)]
pub struct RetryBudget {
    limit: RetryBudgetLimit,
    bucket: Mutex<Bucket>,
}

/// Counts thousandths of a retry, so that a hundred calls at 1 % are exactly one retry.
#[derive(Debug)]
struct Bucket {
    millis: u64,
    filled: Instant,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub fn new(limit: RetryBudgetLimit) -> Self {
        let bucket = Bucket { millis: u64::from(limit.balance_max) * 1_000, filled: Instant::now() };
        Self { limit, bucket: Mutex::new(bucket) }
    }

    /// Adds the share of one first attempt.
    pub fn deposit(&self) {
        self.with(|bucket| bucket.millis += u64::from(self.limit.percent_of_calls) * 10);
    }

    /// Takes one retry; false if the bucket is empty.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.with(|bucket| {
            let left = bucket.millis.checked_sub(1_000);
            bucket.millis = left.unwrap_or(bucket.millis);
            left.is_some()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let balance_max = u64::from(self.limit.balance_max) * 1_000;
        // Whole milliseconds only; the remainder counts at the next call.
        let passed = u64::try_from(bucket.filled.elapsed().as_millis()).unwrap_or(u64::MAX);
        bucket.filled += Duration::from_millis(passed);
        bucket.millis =
            bucket.millis.saturating_add(passed.saturating_mul(u64::from(self.limit.per_second))).min(balance_max);
        let result = act(&mut bucket);
        bucket.millis = bucket.millis.min(balance_max);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::time::advance;

    const POLICY: RetryPolicy = RetryPolicy {
        retries_max: 6,
        first_wait_max: Duration::from_millis(100),
        wait_max: Duration::from_millis(800),
    };
    const LIMIT: RetryBudgetLimit = RetryBudgetLimit { percent_of_calls: 10, per_second: 1, balance_max: 5 };

    fn drain(budget: &RetryBudget) -> usize {
        (0..1_000).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn burst_of_retries_is_limited_by_the_saved_balance() {
        let budget = RetryBudget::new(LIMIT);
        assert_eq!(drain(&budget), 5);
        assert!(!budget.withdraw());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_and_time_fill_the_budget_up_to_its_maximum() {
        let budget = RetryBudget::new(LIMIT);
        drain(&budget);
        (0..19).for_each(|_| budget.deposit());
        assert_eq!(drain(&budget), 1, "19 calls at 10 % are one retry");
        budget.deposit();
        assert_eq!(drain(&budget), 1, "and the 20th makes the second");
        advance(Duration::from_millis(2_500)).await;
        assert_eq!(drain(&budget), 2);
        advance(Duration::from_millis(500)).await;
        assert_eq!(drain(&budget), 1, "no part of a second is lost");
        advance(Duration::from_secs(3_600)).await;
        (0..1_000).for_each(|_| budget.deposit());
        assert_eq!(drain(&budget), 5);
    }

    #[test]
    fn policy_without_retries_has_no_waits() {
        assert_eq!(RetryPolicy::NEVER.waits(1).count(), 0);
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let firsts: Vec<Duration> = (0..1_000).filter_map(|seed| POLICY.waits(seed).next()).collect();
        let below = |part: u32| firsts.iter().filter(|wait| **wait < POLICY.first_wait_max * part / 4).count();
        for (part, low, high) in [(1, 150, 350), (2, 400, 600), (3, 650, 850)] {
            assert!((low..high).contains(&below(part)), "{} of 1000 in the first {part}/4", below(part));
        }
    }

    proptest! {
        #[test]
        fn waits_stay_below_the_doubling_bound(seed in any::<u64>()) {
            let waits: Vec<Duration> = POLICY.waits(seed).collect();
            prop_assert_eq!(waits.len(), POLICY.retries_max);
            for (at, wait) in waits.iter().enumerate() {
                let bound = (POLICY.first_wait_max * 2_u32.pow(u32::try_from(at).unwrap())).min(POLICY.wait_max);
                prop_assert!(*wait <= bound, "{:?} > {:?}", wait, bound);
            }
        }
    }
}
