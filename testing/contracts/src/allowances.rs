//! What `Allowances` promises: one count for all who ask, exact at its edges, apart by caller, tenant and limit.

use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_app::limits::{RateLimit, Spent, allowance};

use crate::subject::{Dice, Subject};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! allowances_suite {
    ($open:expr) => {
        $crate::cases! { allowances, $open;
            what_was_spent_is_back_at_its_time_and_not_before
            a_wish_beyond_the_rest_is_given_the_rest
            callers_tenants_and_limits_are_apart
            every_answer_is_that_of_the_arithmetic
            a_crowd_spends_no_more_than_there_is
        }
    };
}

const LIMIT: RateLimit = RateLimit { name: "suite", burst: 3, per: Duration::from_secs(30), keys: 1_000 };
const MICRO: Duration = Duration::from_micros(1);
const EACH: Duration = Duration::from_secs(10);

fn nobody_else(environment: &dyn Environment) -> Caller {
    Caller { organization: None, name: environment.uuid().simple().to_string() }
}

/// To the microsecond.
pub async fn what_was_spent_is_back_at_its_time_and_not_before<S: Allowances>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let caller = nobody_else(environment);
    for _ in 0..3 {
        assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), Spent::Some(1));
    }
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), Spent::None(EACH));
    environment.advance(EACH - MICRO);
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), Spent::None(MICRO), "a refusal is not counted");
    environment.advance(MICRO);
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), Spent::Some(1));
    assert_eq!(store.spend(LIMIT, &caller, 1).await.unwrap(), Spent::None(EACH));
}

/// Never more than there is, never nothing while there is something.
pub async fn a_wish_beyond_the_rest_is_given_the_rest<S: Allowances>(subject: Subject<S>) {
    let caller = nobody_else(&*subject.environment);
    assert_eq!(subject.store.spend(LIMIT, &caller, 2).await.unwrap(), Spent::Some(2));
    assert_eq!(subject.store.spend(LIMIT, &caller, 2).await.unwrap(), Spent::Some(1));
    assert_eq!(subject.store.spend(LIMIT, &caller, 2).await.unwrap(), Spent::None(EACH));
    subject.environment.advance(LIMIT.per);
    assert_eq!(subject.store.spend(LIMIT, &caller, 9).await.unwrap(), Spent::Some(3), "all of it after the whole time");
}

/// The same name in another organization is somebody else (P7).
pub async fn callers_tenants_and_limits_are_apart<S: Allowances>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let caller = nobody_else(environment);
    let of = |organization| Caller { organization, ..caller.clone() };
    let theirs = [of(Some(fresh(environment))), of(Some(fresh(environment))), nobody_else(environment)];
    assert_eq!(store.spend(LIMIT, &caller, 3).await.unwrap(), Spent::Some(3));
    for other in theirs {
        assert_eq!(store.spend(LIMIT, &other, 3).await.unwrap(), Spent::Some(3));
    }
    let other = RateLimit { name: "another", ..LIMIT };
    assert_eq!(store.spend(other, &caller, 3).await.unwrap(), Spent::Some(3));
    assert_eq!(store.spend(LIMIT, &caller, 3).await.unwrap(), Spent::None(EACH));
}

/// At random moments, over random wishes and limits; none so short that a store's own clock forgets what the case's clock still counts.
pub async fn every_answer_is_that_of_the_arithmetic<S: Allowances>(subject: Subject<S>) {
    let mut dice = Dice::new(7);
    for (name, burst, per) in [("one", 1, 60_000_000), ("odd", 7, 59_999_983), ("wide", 3_000, 600_000_000)] {
        let limit = RateLimit { name, burst, per: Duration::from_micros(per), keys: 1_000 };
        let caller = nobody_else(&*subject.environment);
        let mut full_at = None;
        for step in 0..200 {
            let most = u32::try_from(dice.below(burst as usize + 2)).unwrap();
            let (expected, after) = allowance::spend(limit, subject.environment.now().micros(), full_at, most);
            full_at = Some(after);
            assert_eq!(subject.store.spend(limit, &caller, most).await.unwrap(), expected, "{name}, step {step}");
            let half = usize::try_from(per / 2).unwrap();
            subject.environment.advance(Duration::from_micros(dice.below(half) as u64 + 1));
        }
    }
}

/// Two hundred at once.
pub async fn a_crowd_spends_no_more_than_there_is<S: Allowances>(subject: Subject<S>) {
    let limit = RateLimit { name: "crowd", burst: 50, ..LIMIT };
    let caller = nobody_else(&*subject.environment);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (store, caller) = (subject.store.clone(), caller.clone());
        crowd.spawn(async move { store.spend(limit, &caller, 3).await.unwrap() });
    }
    let spent = crowd.join_all().await.into_iter().map(|spent| if let Spent::Some(some) = spent { some } else { 0 });
    assert_eq!(spent.sum::<u32>(), 50);
}
