//! Each layer of the guard at its edge, in virtual time.

use std::sync::Arc;
use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::bulkhead::BulkheadFull;
use crate::health::Health;

const MS: Duration = Duration::from_millis(1);

const LIMIT: GuardLimit = GuardLimit {
    name: "test",
    deadline: Duration::from_secs(2),
    attempt: Duration::from_millis(500),
    bulkhead: BulkheadLimit { name: "test", running: 2, waiting: 1 },
    breaker: BreakerLimit { window: 10, failures_percent: 50, open_for: Duration::from_secs(5), probes: 1 },
    retry: RetryPolicy { retries: 2, first: Duration::from_millis(100), most: Duration::from_millis(400) },
    budget: RetryBudgetLimit { percent: 10, per_second: 0, most: 100 },
};

/// What one attempt does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Answer,
    Refuse,
    Fault,
    Unsent,
    Hang,
}

type Outcome = Result<u32, GuardError<&'static str>>;

fn judge(error: &&'static str) -> Verdict {
    match *error {
        "refused" => Verdict::Answered,
        "unsent" => Verdict::NotSent,
        _ => Verdict::MayBeDone,
    }
}

/// Calls through `guard` with a dependency that does `script` in order; says the outcome and the number of attempts.
async fn call(guard: &Guard, repeat: Repeat, script: &[Does]) -> (Outcome, u32) {
    let mut attempts = 0;
    let outcome = guard
        .call(
            repeat,
            || {
                let does = script[attempts as usize];
                attempts += 1;
                let nth = attempts;
                async move {
                    match does {
                        Does::Answer => Ok(nth),
                        Does::Refuse => Err("refused"),
                        Does::Fault => Err("fault"),
                        Does::Unsent => Err("unsent"),
                        Does::Hang => std::future::pending().await,
                    }
                }
            },
            judge,
        )
        .await;
    (outcome, attempts)
}

const fn failed(error: &'static str, may_be_done: bool) -> Outcome {
    Err(GuardError::Failed { dependency: "test", error, may_be_done })
}

const fn late(may_be_done: bool) -> Outcome {
    Err(GuardError::Deadline { dependency: "test", may_be_done })
}

#[tokio::test(start_paused = true)]
async fn what_is_repeated_and_what_is_known_afterwards() {
    use Does::{Answer, Fault, Hang, Refuse, Unsent};
    use Repeat::{Harmless, OnlyUnsent};
    for (repeat, script, outcome, attempts) in [
        (Harmless, [Answer, Answer, Answer], Ok(1), 1),
        (Harmless, [Fault, Answer, Answer], Ok(2), 2),
        (Harmless, [Fault, Hang, Answer], Ok(3), 3),
        (Harmless, [Fault, Fault, Fault], failed("fault", true), 3),
        (Harmless, [Unsent, Unsent, Unsent], failed("unsent", false), 3),
        (Harmless, [Fault, Unsent, Unsent], failed("unsent", true), 3),
        (Harmless, [Refuse, Answer, Answer], failed("refused", false), 1),
        (Harmless, [Fault, Refuse, Answer], failed("refused", true), 2),
        (Harmless, [Hang, Hang, Hang], late(true), 3),
        (OnlyUnsent, [Answer, Answer, Answer], Ok(1), 1),
        (OnlyUnsent, [Unsent, Answer, Answer], Ok(2), 2),
        (OnlyUnsent, [Unsent, Fault, Answer], failed("fault", true), 2),
        (OnlyUnsent, [Fault, Answer, Answer], failed("fault", true), 1),
        (OnlyUnsent, [Hang, Answer, Answer], late(true), 1),
        (OnlyUnsent, [Refuse, Answer, Answer], failed("refused", false), 1),
    ] {
        let guard = Guard::new(LIMIT, 1);
        let (got, made) = call(&guard, repeat, &script).await;
        assert_eq!((got, made), (outcome, attempts), "{repeat:?} {script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_waiting_and_retries_and_never_lies_about_what_was_sent() {
    let guard = Guard::new(GuardLimit { deadline: 700 * MS, ..LIMIT }, 1);
    let began = Instant::now();
    let (outcome, _) = call(&guard, Repeat::Harmless, &[Does::Hang; 3]).await;
    assert_eq!(outcome, late(true));
    assert!(began.elapsed() <= 700 * MS, "{:?}", began.elapsed());

    // A request whose own time is over does not send anything.
    let request = Deadline::after(10 * MS);
    let inside = request.carry(async {
        tokio::time::advance(10 * MS).await;
        call(&guard, Repeat::Harmless, &[Does::Answer]).await
    });
    let passed = inside.await;
    assert_eq!(passed, Ok((late(false), 0)));
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_the_bulkhead_until_the_deadline_was_not_sent() {
    let limit = GuardLimit { attempt: Duration::from_secs(60), deadline: Duration::from_secs(1), ..LIMIT };
    let guard = Arc::new(Guard::new(limit, 1));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let guard = Arc::clone(&guard);
        calls.spawn(async move { call(&guard, Repeat::Harmless, &[Does::Hang]).await });
    }
    let mut outcomes: Vec<String> =
        calls.join_all().await.into_iter().map(|(outcome, made)| format!("{outcome:?} {made}")).collect();
    outcomes.sort();
    let full = GuardError::<&str>::Bulkhead(BulkheadFull { limit: LIMIT.bulkhead });
    let mut expected = [
        format!("Err({full:?}) 0"),
        format!("{:?} 0", late(false)),
        format!("{:?} 1", late(true)),
        format!("{:?} 1", late(true)),
    ];
    expected.sort();
    assert_eq!(outcomes, expected);
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_stops_retries_but_not_calls() {
    let budget = RetryBudgetLimit { percent: 0, per_second: 0, most: 3 };
    let breaker = BreakerLimit { window: 1_000, ..LIMIT.breaker };
    let guard = Guard::new(GuardLimit { budget, breaker, ..LIMIT }, 1);
    let mut made = 0;
    for _ in 0..50 {
        made += call(&guard, Repeat::Harmless, &[Does::Fault; 3]).await.1;
    }
    assert_eq!(made, 50 + 3, "each call once, and three retries for all of them together");
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_is_away_is_reported_spared_and_found_again() {
    let capabilities = Capabilities::new();
    let guard = Guard::new(LIMIT, 1).reporting(capabilities.clone(), Dependency::PaymentProvider);
    let mut attempts = 0;
    for _ in 0..20 {
        attempts += call(&guard, Repeat::Harmless, &[Does::Fault; 3]).await.1;
    }
    assert_eq!(attempts, 10, "as many as the breaker's window");
    assert_eq!(capabilities.health(Dependency::PaymentProvider), Health::Down);

    let (outcome, made) = call(&guard, Repeat::Harmless, &[Does::Answer]).await;
    let Err(error) = outcome else { panic!("the breaker is open") };
    assert!(matches!(error, GuardError::Breaker { .. }) && !error.may_be_done() && made == 0, "{error}");
    assert!(error.retry_after().is_some_and(|wait| wait.as_seconds() <= 5));

    tokio::time::advance(LIMIT.breaker.open_for).await;
    assert_eq!(call(&guard, Repeat::Harmless, &[Does::Answer]).await, (Ok(1), 1));
    assert_eq!(capabilities.health(Dependency::PaymentProvider), Health::Up);
}

#[tokio::test(start_paused = true)]
async fn a_no_is_an_answer_and_does_not_open_the_breaker() {
    let guard = Guard::new(LIMIT, 1);
    for _ in 0..100 {
        call(&guard, Repeat::Harmless, &[Does::Refuse]).await.0.unwrap_err();
    }
    assert_eq!(guard.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_gives_everything_back() {
    let guard = Guard::new(LIMIT, 1);
    for _ in 0..50 {
        let left = timeout(MS, call(&guard, Repeat::Harmless, &[Does::Hang])).await;
        assert!(left.is_err());
    }
    assert_eq!(call(&guard, Repeat::Harmless, &[Does::Answer]).await, (Ok(1), 1));
}

#[tokio::test(start_paused = true)]
async fn waits_between_attempts_differ_from_call_to_call() {
    let guard = Guard::new(GuardLimit { breaker: BreakerLimit { window: 1_000, ..LIMIT.breaker }, ..LIMIT }, 1);
    let took = Mutex::new(std::collections::BTreeSet::new());
    for _ in 0..20 {
        let began = Instant::now();
        call(&guard, Repeat::Harmless, &[Does::Fault; 3]).await.0.unwrap_err();
        took.lock().unwrap().insert(began.elapsed().as_millis());
    }
    assert!(took.lock().unwrap().len() > 10, "full jitter");
}
