//! Checks the limit of actions and the limit of keys, in virtual time.

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const LIMIT: RateLimit = RateLimit { name: "test", burst: 3, per: Duration::from_secs(30), keys_max: 4 };

fn passes(limiter: &RateLimiter<u32>, key: u32) -> usize {
    (0..100).take_while(|_| limiter.check(&key).is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn action_beyond_the_burst_is_refused_with_the_time_of_the_next() {
    let limiter = RateLimiter::new(LIMIT);
    assert_eq!(passes(&limiter, 1), 3);
    let refused = RateLimited { limit: LIMIT, retry_after: RetryAfter::seconds(10) };
    assert_eq!(limiter.check(&1), Err(refused));
    assert_eq!(limiter.check(&1), Err(refused), "a refused action is not counted");
    advance(Duration::from_millis(9_999)).await;
    assert_eq!(limiter.check(&1).map_err(|limited| limited.retry_after), Err(RetryAfter::seconds(1)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(passes(&limiter, 1), 1);
    advance(LIMIT.per).await;
    assert_eq!(passes(&limiter, 1), 3, "the whole burst after the whole period");
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_own_allowance() {
    let limiter = RateLimiter::new(LIMIT);
    assert_eq!(passes(&limiter, 1), 3);
    assert_eq!(passes(&limiter, 2), 3);
}

#[tokio::test(start_paused = true)]
async fn keys_beyond_the_limit_share_one_allowance_and_known_keys_keep_theirs() {
    let limiter = RateLimiter::new(LIMIT);
    (1..=4).for_each(|key| limiter.check(&key).unwrap());
    let together: usize = (100..200).map(|key| passes(&limiter, key)).sum();
    assert_eq!(together, 3, "a hundred invented keys pass as often as one");
    assert_eq!(limiter.governor.len(), 4);
    assert_eq!(passes(&limiter, 2), 2, "a known key is not locked out");

    advance(LIMIT.per * 2).await;
    assert_eq!(passes(&limiter, 300), 3, "idle keys are removed and make room");
    assert_eq!(limiter.governor.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn sharded_limiter_never_stores_more_keys_than_its_limit() {
    let limiter = RateLimiter::new(RateLimit { keys_max: 1_000, ..LIMIT });
    for key in 0..20_000 {
        let _ = limiter.check(&key);
    }
    let stored = limiter.governor.len();
    assert!((900..=1_000).contains(&stored), "{stored}");
}

#[tokio::test(start_paused = true)]
async fn limits_of_zero_are_read_as_the_smallest_that_work() {
    let limiter = RateLimiter::new(RateLimit { burst: 0, ..LIMIT });
    assert_eq!(passes(&limiter, 1), 1);
    let limiter = RateLimiter::new(RateLimit { per: Duration::ZERO, ..LIMIT });
    assert!(limiter.check(&1).is_ok());
    let limiter = RateLimiter::new(RateLimit { keys_max: 0, ..LIMIT });
    assert_eq!((passes(&limiter, 1), passes(&limiter, 2)), (3, 0));
}

proptest! {
    #[test]
    fn actions_within_any_period_never_exceed_twice_the_burst(burst in 1_u32..10, per_ms in 10_u64..1_000, gaps in prop::collection::vec(0_u64..200, 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let per = Duration::from_millis(per_ms);
        let passed = runtime.block_on(async {
            let limiter = RateLimiter::new(RateLimit { burst, per, ..LIMIT });
            let start = Instant::now();
            let mut passed = Vec::new();
            for gap in gaps {
                advance(Duration::from_millis(gap)).await;
                if limiter.check(&1).is_ok() {
                    passed.push(start.elapsed());
                }
            }
            passed
        });
        // The burst that was saved up, and the burst that returns within the period.
        for (at, first) in passed.iter().enumerate() {
            let within = passed[at..].iter().filter(|other| **other < *first + per).count();
            prop_assert!(within <= 2 * burst as usize, "{within} within {per:?}");
        }
    }
}
