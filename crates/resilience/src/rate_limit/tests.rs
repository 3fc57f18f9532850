//! The limit at its edge, its keys at theirs, in virtual time.

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const LIMIT: RateLimit = RateLimit { name: "test", burst: 3, per: Duration::from_secs(30), keys: 4 };

fn passes(limiter: &RateLimiter<u32>, key: u32) -> usize {
    (0..100).take_while(|_| limiter.check(&key).is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn a_burst_passes_and_the_next_is_told_when_it_fits() {
    let limiter = RateLimiter::new(LIMIT);
    assert_eq!(passes(&limiter, 1), 3);
    let refused = RateLimited { limit: LIMIT, retry_after: RetryAfter::seconds(10) };
    assert_eq!(limiter.check(&1), Err(refused));
    assert_eq!(limiter.check(&1), Err(refused), "a refused one is not counted");
    advance(Duration::from_millis(9_999)).await;
    assert_eq!(limiter.check(&1).map_err(|limited| limited.retry_after), Err(RetryAfter::seconds(1)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(passes(&limiter, 1), 1);
    advance(LIMIT.per).await;
    assert_eq!(passes(&limiter, 1), 3, "all of it after the whole time");
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_see_each_other() {
    let limiter = RateLimiter::new(LIMIT);
    assert_eq!(passes(&limiter, 1), 3);
    assert_eq!(passes(&limiter, 2), 3);
}

#[tokio::test(start_paused = true)]
async fn keys_past_the_limit_share_one_allowance_and_known_ones_keep_theirs() {
    let limiter = RateLimiter::new(LIMIT);
    (1..=4).for_each(|key| limiter.check(&key).unwrap());
    let together: usize = (100..200).map(|key| passes(&limiter, key)).sum();
    assert_eq!(together, 3, "a hundred invented keys pass as often as one");
    assert_eq!(limiter.governor.len(), 4);
    assert_eq!(passes(&limiter, 2), 2, "who is known is not locked out");

    advance(LIMIT.per * 2).await;
    assert_eq!(passes(&limiter, 300), 3, "idle keys are forgotten and make room");
    assert_eq!(limiter.governor.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_large_limiter_never_keeps_more_keys_than_it_may() {
    let limiter = RateLimiter::new(RateLimit { keys: 1_000, ..LIMIT });
    for key in 0..20_000 {
        let _ = limiter.check(&key);
    }
    let kept = limiter.governor.len();
    assert!((900..=1_000).contains(&kept), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn limits_of_nothing_are_read_as_the_smallest_that_work() {
    let limiter = RateLimiter::new(RateLimit { burst: 0, ..LIMIT });
    assert_eq!(passes(&limiter, 1), 1);
    let limiter = RateLimiter::new(RateLimit { per: Duration::ZERO, ..LIMIT });
    assert!(limiter.check(&1).is_ok());
    let limiter = RateLimiter::new(RateLimit { keys: 0, ..LIMIT });
    assert_eq!((passes(&limiter, 1), passes(&limiter, 2)), (3, 0));
}

proptest! {
    #[test]
    fn in_any_span_no_more_pass_than_the_limit_allows(burst in 1_u32..10, per_ms in 10_u64..1_000, gaps in prop::collection::vec(0_u64..200, 1..60)) {
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
        // What was saved up and what comes back within the span.
        for (at, first) in passed.iter().enumerate() {
            let within = passed[at..].iter().filter(|other| **other < *first + per).count();
            prop_assert!(within <= 2 * burst as usize, "{within} within {per:?}");
        }
    }
}
