//! Contract tests of `Allowances`: one count for all callers with the same key, exact at its limits, separate by caller, organization and limit.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_app::limits::{RateLimit, SpendOutcome, allowance};

use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! allowances_suite {
    ($open:expr) => {
        $crate::cases! { allowances, $open;
            tokens_refill_at_the_exact_time
            request_for_more_than_is_left_gets_what_is_left
            callers_organizations_and_limits_are_counted_separately
            every_answer_matches_the_token_bucket
            concurrent_callers_spend_no_more_than_the_burst
        }
    };
}

const LIMIT: RateLimit = RateLimit { name: "suite", burst: 3, per: Duration::from_secs(30), keys_max: 1_000 };
const MICRO: Duration = Duration::from_micros(1);
const PER_TOKEN: Duration = Duration::from_secs(10);

fn new_caller(environment: &dyn Environment) -> Caller {
    Caller { organization: None, name: environment.uuid().simple().to_string() }
}

/// Spent tokens are available again at the exact microsecond, not before.
pub async fn tokens_refill_at_the_exact_time<S: Allowances>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let caller = new_caller(environment);
    for _ in 0..3 {
        assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), SpendOutcome::Granted(1));
    }
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), SpendOutcome::Exhausted(PER_TOKEN));
    environment.advance(PER_TOKEN - MICRO);
    assert_eq!(
        store.spend(LIMIT, &caller, 1).await.unwrap(),
        SpendOutcome::Exhausted(MICRO),
        "a refusal is not counted"
    );
    environment.advance(MICRO);
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), SpendOutcome::Granted(1));
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), SpendOutcome::Exhausted(PER_TOKEN));
}

/// Never more than is left, never zero while there is something left.
pub async fn request_for_more_than_is_left_gets_what_is_left<S: Allowances>(sut: Sut<S>) {
    let caller = new_caller(&*sut.environment);
    assert_eq!(sut.store.spend(LIMIT, &caller, 2).await.unwrap(), SpendOutcome::Granted(2));
    assert_eq!(sut.store.spend(LIMIT, &caller, 2).await.unwrap(), SpendOutcome::Granted(1));
    assert_eq!(sut.store.spend(LIMIT, &caller, 2).await.unwrap(), SpendOutcome::Exhausted(PER_TOKEN));
    sut.environment.advance(LIMIT.per);
    assert_eq!(
        sut.store.spend(LIMIT, &caller, 9).await.unwrap(),
        SpendOutcome::Granted(3),
        "the whole burst after the whole period"
    );
}

/// The same name in another organization is another caller (P7).
pub async fn callers_organizations_and_limits_are_counted_separately<S: Allowances>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let caller = new_caller(environment);
    let of = |organization| Caller { organization, ..caller.clone() };
    let theirs = [of(Some(new_id(environment))), of(Some(new_id(environment))), new_caller(environment)];
    assert_eq!(store.spend(LIMIT, &caller, 3).await.unwrap(), SpendOutcome::Granted(3));
    for other in theirs {
        assert_eq!(store.spend(LIMIT, &other, 3).await.unwrap(), SpendOutcome::Granted(3));
    }
    let other = RateLimit { name: "another", ..LIMIT };
    assert_eq!(store.spend(other, &caller, 3).await.unwrap(), SpendOutcome::Granted(3));
    assert_eq!(store.spend(LIMIT, &caller, 3).await.unwrap(), SpendOutcome::Exhausted(PER_TOKEN));
}

/// At random times, for random requests and limits. No period is so short that the store's own clock drops a counter the test's clock still counts.
pub async fn every_answer_matches_the_token_bucket<S: Allowances>(sut: Sut<S>) {
    let mut random = StdRng::seed_from_u64(7);
    for (name, burst, per) in [("one", 1, 60_000_000), ("odd", 7, 59_999_983), ("wide", 3_000, 600_000_000)] {
        let limit = RateLimit { name, burst, per: Duration::from_micros(per), keys_max: 1_000 };
        let caller = new_caller(&*sut.environment);
        let mut full_at = None;
        for step in 0..200 {
            let requested = random.random_range(0..burst + 2);
            let (expected, after) = allowance::spend(limit, sut.environment.now().micros(), full_at, requested);
            full_at = Some(after);
            assert_eq!(sut.store.spend(limit, &caller, requested).await.unwrap(), expected, "{name}, step {step}");
            sut.environment.advance(Duration::from_micros(random.random_range(1..=per / 2)));
        }
    }
}

/// Two hundred tasks call at once.
pub async fn concurrent_callers_spend_no_more_than_the_burst<S: Allowances>(sut: Sut<S>) {
    let limit = RateLimit { name: "crowd", burst: 50, ..LIMIT };
    let caller = new_caller(&*sut.environment);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (store, caller) = (sut.store.clone(), caller.clone());
        callers.spawn(async move { store.spend(limit, &caller, 3).await.unwrap() });
    }
    let spent = callers
        .join_all()
        .await
        .into_iter()
        .map(|spent| if let SpendOutcome::Granted(some) = spent { some } else { 0 });
    assert_eq!(spent.sum::<u32>(), 50);
}
