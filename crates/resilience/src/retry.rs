//! Retries: growing waits with full jitter, and a budget that keeps them a small share of all calls.
//!
//! Never at two layers: only [`crate::guard`] retries, jobs retry whole runs. The waits are backon's; full jitter means anything between
//! zero and the wait, so that many who failed together do not come back together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

/// How often and after what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub retries: usize,
    /// The longest first wait; each next one doubles.
    pub first: Duration,
    /// The longest wait of all.
    pub most: Duration,
}

impl RetryPolicy {
    /// No retry at all.
    pub const NEVER: Self = Self { retries: 0, first: Duration::ZERO, most: Duration::ZERO };

    /// The waits before each retry; the same for the same seed.
    pub fn waits(self, seed: u64) -> impl Iterator<Item = Duration> + Send {
        let plain =
            ExponentialBuilder::new().with_min_delay(self.first).with_max_delay(self.most).with_max_times(self.retries);
        // backon adds a random share of the wait to it; what it added is the share alone, which is full jitter.
        let jittered = plain.with_jitter().with_jitter_seed(seed);
        jittered.build().zip(plain.build()).map(|(jittered, plain)| jittered.saturating_sub(plain))
    }
}

/// How many retries there may be among calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetLimit {
    /// Retries for each hundred first attempts.
    pub percent: u32,
    /// Retries for each second whatever the number of calls, so that a rare call can be retried.
    pub per_second: u32,
    /// The most that can be saved up.
    pub most: u32,
}

/// A bucket of leave to retry, filled by calls and by time.
#[derive(Debug)]
pub struct RetryBudget {
    limit: RetryBudgetLimit,
    bucket: Mutex<Bucket>,
}

/// Whole thousandths, so that a hundred calls at 1 % are exactly one retry.
#[derive(Debug)]
struct Bucket {
    millis: u64,
    filled: Instant,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub fn new(limit: RetryBudgetLimit) -> Self {
        let bucket = Bucket { millis: u64::from(limit.most) * 1_000, filled: Instant::now() };
        Self { limit, bucket: Mutex::new(bucket) }
    }

    /// A first attempt is made: its share goes into the bucket.
    pub fn deposit(&self) {
        self.with(|bucket| bucket.millis += u64::from(self.limit.percent) * 10);
    }

    /// Takes leave for one retry; false where there is none.
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
        let most = u64::from(self.limit.most) * 1_000;
        // Whole milliseconds only; the rest of the time stays for the next one.
        let passed = u64::try_from(bucket.filled.elapsed().as_millis()).unwrap_or(u64::MAX);
        bucket.filled += Duration::from_millis(passed);
        bucket.millis = bucket.millis.saturating_add(passed.saturating_mul(u64::from(self.limit.per_second))).min(most);
        let answer = act(&mut bucket);
        bucket.millis = bucket.millis.min(most);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::time::advance;

    const POLICY: RetryPolicy =
        RetryPolicy { retries: 6, first: Duration::from_millis(100), most: Duration::from_millis(800) };
    const LIMIT: RetryBudgetLimit = RetryBudgetLimit { percent: 10, per_second: 1, most: 5 };

    fn drain(budget: &RetryBudget) -> usize {
        (0..1_000).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_is_retried_only_as_far_as_was_saved() {
        let budget = RetryBudget::new(LIMIT);
        assert_eq!(drain(&budget), 5);
        assert!(!budget.withdraw());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_and_time_fill_it_up_to_its_most() {
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
    fn never_means_never() {
        assert_eq!(RetryPolicy::NEVER.waits(1).count(), 0);
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let firsts: Vec<Duration> = (0..1_000).filter_map(|seed| POLICY.waits(seed).next()).collect();
        let below = |part: u32| firsts.iter().filter(|wait| **wait < POLICY.first * part / 4).count();
        for (part, low, high) in [(1, 150, 350), (2, 400, 600), (3, 650, 850)] {
            assert!((low..high).contains(&below(part)), "{} of 1000 in the first {part}/4", below(part));
        }
    }

    proptest! {
        #[test]
        fn waits_stay_below_the_doubling_edge(seed in any::<u64>()) {
            let waits: Vec<Duration> = POLICY.waits(seed).collect();
            prop_assert_eq!(waits.len(), POLICY.retries);
            for (at, wait) in waits.iter().enumerate() {
                let edge = (POLICY.first * 2_u32.pow(u32::try_from(at).unwrap())).min(POLICY.most);
                prop_assert!(*wait <= edge, "{:?} > {:?}", wait, edge);
            }
        }
    }
}
