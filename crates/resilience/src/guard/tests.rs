//! Checks each layer of the guard at its limit, in virtual time.

use std::sync::Arc;
use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::bulkhead::BulkheadFull;
use crate::health::DependencyHealth;

const MS: Duration = Duration::from_millis(1);

const LIMIT: GuardLimit = GuardLimit {
    name: "test",
    deadline: Duration::from_secs(2),
    attempt_timeout: Duration::from_millis(500),
    bulkhead: BulkheadLimit { name: "test", running_max: 2, waiting_max: 1 },
    breaker: BreakerLimit { window: 10, failures_percent: 50, open_for: Duration::from_secs(5), probes: 1 },
    retry: RetryPolicy {
        retries_max: 2,
        first_wait_max: Duration::from_millis(100),
        wait_max: Duration::from_millis(400),
    },
    retry_budget: RetryBudgetLimit { percent_of_calls: 10, per_second: 0, balance_max: 100 },
};

/// The behaviour of the dependency in one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Answer,
    Refuse,
    Fault,
    Unsent,
    Hang,
}

type Outcome = Result<u32, GuardError<&'static str>>;

fn classify(error: &&'static str) -> CallFailure {
    match *error {
        "refused" => CallFailure::Rejected,
        "unsent" => CallFailure::NotSent,
        _ => CallFailure::Ambiguous,
    }
}

/// Calls through `guard` a dependency that behaves as `script` says; returns the outcome and the number of attempts.
async fn call(guard: &Guard, safety: RetrySafety, script: &[Behaviour]) -> (Outcome, u32) {
    let mut attempts = 0;
    let outcome = guard
        .call(
            safety,
            || {
                let behaviour = script[attempts as usize];
                attempts += 1;
                let nth = attempts;
                async move {
                    match behaviour {
                        Behaviour::Answer => Ok(nth),
                        Behaviour::Refuse => Err("refused"),
                        Behaviour::Fault => Err("fault"),
                        Behaviour::Unsent => Err("unsent"),
                        Behaviour::Hang => std::future::pending().await,
                    }
                }
            },
            classify,
        )
        .await;
    (outcome, attempts)
}

const fn failed(error: &'static str, ambiguous: bool) -> Outcome {
    Err(GuardError::Failed { dependency: "test", error, ambiguous })
}

const fn late(ambiguous: bool) -> Outcome {
    Err(GuardError::Deadline { dependency: "test", ambiguous })
}

#[tokio::test(start_paused = true)]
async fn only_safe_attempts_are_repeated_and_unknown_outcomes_are_ambiguous() {
    use Behaviour::{Answer, Fault, Hang, Refuse, Unsent};
    use RetrySafety::{Idempotent, OnlyIfUnsent};
    for (safety, script, outcome, attempts) in [
        (Idempotent, [Answer, Answer, Answer], Ok(1), 1),
        (Idempotent, [Fault, Answer, Answer], Ok(2), 2),
        (Idempotent, [Fault, Hang, Answer], Ok(3), 3),
        (Idempotent, [Fault, Fault, Fault], failed("fault", true), 3),
        (Idempotent, [Unsent, Unsent, Unsent], failed("unsent", false), 3),
        (Idempotent, [Fault, Unsent, Unsent], failed("unsent", true), 3),
        (Idempotent, [Refuse, Answer, Answer], failed("refused", false), 1),
        (Idempotent, [Fault, Refuse, Answer], failed("refused", true), 2),
        (Idempotent, [Hang, Hang, Hang], late(true), 3),
        (OnlyIfUnsent, [Answer, Answer, Answer], Ok(1), 1),
        (OnlyIfUnsent, [Unsent, Answer, Answer], Ok(2), 2),
        (OnlyIfUnsent, [Unsent, Fault, Answer], failed("fault", true), 2),
        (OnlyIfUnsent, [Fault, Answer, Answer], failed("fault", true), 1),
        (OnlyIfUnsent, [Hang, Answer, Answer], late(true), 1),
        (OnlyIfUnsent, [Refuse, Answer, Answer], failed("refused", false), 1),
    ] {
        let guard = Guard::new(LIMIT, 1);
        let (got, made) = call(&guard, safety, &script).await;
        assert_eq!((got, made), (outcome, attempts), "{safety:?} {script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_covers_retries_and_reports_whether_an_attempt_was_sent() {
    let guard = Guard::new(GuardLimit { deadline: 700 * MS, ..LIMIT }, 1);
    let began = Instant::now();
    let (outcome, _) = call(&guard, RetrySafety::Idempotent, &[Behaviour::Hang; 3]).await;
    assert_eq!(outcome, late(true));
    assert!(began.elapsed() <= 700 * MS, "{:?}", began.elapsed());

    // A request after its own deadline sends nothing.
    let request = Deadline::after(10 * MS);
    let inside = request.scope(async {
        tokio::time::advance(10 * MS).await;
        call(&guard, RetrySafety::Idempotent, &[Behaviour::Answer]).await
    });
    let passed = inside.await;
    assert_eq!(passed, Ok((late(false), 0)));
}

#[tokio::test(start_paused = true)]
async fn call_that_waits_in_the_bulkhead_until_the_deadline_is_not_sent() {
    let limit = GuardLimit { attempt_timeout: Duration::from_secs(60), deadline: Duration::from_secs(1), ..LIMIT };
    let guard = Arc::new(Guard::new(limit, 1));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let guard = Arc::clone(&guard);
        calls.spawn(async move { call(&guard, RetrySafety::Idempotent, &[Behaviour::Hang]).await });
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
async fn empty_retry_budget_stops_retries_but_not_calls() {
    let budget = RetryBudgetLimit { percent_of_calls: 0, per_second: 0, balance_max: 3 };
    let breaker = BreakerLimit { window: 1_000, ..LIMIT.breaker };
    let guard = Guard::new(GuardLimit { retry_budget: budget, breaker, ..LIMIT }, 1);
    let mut made = 0;
    for _ in 0..50 {
        made += call(&guard, RetrySafety::Idempotent, &[Behaviour::Fault; 3]).await.1;
    }
    assert_eq!(made, 50 + 3, "each call once, and three retries in total");
}

#[tokio::test(start_paused = true)]
async fn unavailable_dependency_is_reported_down_spared_and_probed_until_up() {
    let capabilities = Capabilities::new();
    let guard = Guard::new(LIMIT, 1).reporting(capabilities.clone(), Dependency::PaymentProvider);
    let mut attempts = 0;
    for _ in 0..20 {
        attempts += call(&guard, RetrySafety::Idempotent, &[Behaviour::Fault; 3]).await.1;
    }
    assert_eq!(attempts, 10, "as many as the breaker's window");
    assert_eq!(capabilities.health(Dependency::PaymentProvider), DependencyHealth::Down);

    let (outcome, made) = call(&guard, RetrySafety::Idempotent, &[Behaviour::Answer]).await;
    let Err(error) = outcome else { panic!("the breaker is open") };
    assert!(matches!(error, GuardError::Breaker { .. }) && !error.is_ambiguous() && made == 0, "{error}");
    assert!(error.retry_after().is_some_and(|wait| wait.as_seconds() <= 5));

    tokio::time::advance(LIMIT.breaker.open_for).await;
    assert_eq!(call(&guard, RetrySafety::Idempotent, &[Behaviour::Answer]).await, (Ok(1), 1));
    assert_eq!(capabilities.health(Dependency::PaymentProvider), DependencyHealth::Up);
}

#[tokio::test(start_paused = true)]
async fn refusal_by_the_dependency_does_not_open_the_breaker() {
    let guard = Guard::new(LIMIT, 1);
    for _ in 0..100 {
        call(&guard, RetrySafety::Idempotent, &[Behaviour::Refuse]).await.0.unwrap_err();
    }
    assert_eq!(guard.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn cancelled_calls_return_their_permits() {
    let guard = Guard::new(LIMIT, 1);
    for _ in 0..50 {
        let cancelled = timeout(MS, call(&guard, RetrySafety::Idempotent, &[Behaviour::Hang])).await;
        assert!(cancelled.is_err());
    }
    assert_eq!(call(&guard, RetrySafety::Idempotent, &[Behaviour::Answer]).await, (Ok(1), 1));
}

#[tokio::test(start_paused = true)]
async fn waits_between_attempts_are_jittered() {
    let guard = Guard::new(GuardLimit { breaker: BreakerLimit { window: 1_000, ..LIMIT.breaker }, ..LIMIT }, 1);
    let took = Mutex::new(std::collections::BTreeSet::new());
    for _ in 0..20 {
        let began = Instant::now();
        call(&guard, RetrySafety::Idempotent, &[Behaviour::Fault; 3]).await.0.unwrap_err();
        took.lock().unwrap().insert(began.elapsed().as_millis());
    }
    assert!(took.lock().unwrap().len() > 10, "full jitter");
}
