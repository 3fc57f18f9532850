//! Checks every state change of the breaker in virtual time, and its window against a plain count.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const LIMIT: BreakerLimit =
    BreakerLimit { window: 4, failures_percent: 50, open_for: Duration::from_secs(5), probes: 2 };

fn call(breaker: &Breaker, ok: bool) {
    let permit = breaker.permit().unwrap_or_else(|open| panic!("{open}"));
    if ok { permit.succeeded() } else { permit.failed() }
}

fn opened() -> Breaker {
    let breaker = Breaker::new("test", LIMIT);
    (0..4).for_each(|_| call(&breaker, false));
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn breaker_opens_at_the_share_of_failures_among_the_last_calls() {
    for (calls, state) in [
        ("", BreakerState::Closed),
        ("xxx", BreakerState::Closed),
        ("xxxx", BreakerState::Open),
        ("x.x.", BreakerState::Open),
        ("x...", BreakerState::Closed),
        ("x....x..", BreakerState::Closed),
        ("........x..x", BreakerState::Open),
    ] {
        let breaker = Breaker::new("test", LIMIT);
        calls.chars().for_each(|outcome| call(&breaker, outcome == '.'));
        assert_eq!(breaker.state(), state, "{calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn old_successes_do_not_hide_recent_failures() {
    let breaker = Breaker::new("test", LIMIT);
    (0..100_000).for_each(|_| call(&breaker, true));
    (0..2).for_each(|_| call(&breaker, false));
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn open_breaker_refuses_with_the_remaining_time() {
    let breaker = opened();
    advance(Duration::from_millis(1_500)).await;
    let refused = breaker.permit().map(drop);
    assert_eq!(refused, Err(BreakerOpen { retry_after: RetryAfter::seconds(4) }));
}

#[tokio::test(start_paused = true)]
async fn half_open_breaker_admits_its_limit_of_probes_and_closes_on_success() {
    let breaker = opened();
    advance(LIMIT.open_for).await;
    let first = breaker.permit().unwrap_or_else(|open| panic!("{open}"));
    let second = breaker.permit().unwrap_or_else(|open| panic!("{open}"));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.permit().is_err(), "a third probe");
    first.succeeded();
    assert!(breaker.permit().is_err(), "still two: one succeeded, one in flight");
    second.succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn failed_probe_reopens_the_breaker_for_the_full_time() {
    let breaker = opened();
    advance(LIMIT.open_for).await;
    call(&breaker, true);
    call(&breaker, false);
    assert_eq!(breaker.state(), BreakerState::Open);
    advance(LIMIT.open_for - Duration::from_millis(1)).await;
    assert!(breaker.permit().is_err());
    advance(Duration::from_millis(1)).await;
    assert!(breaker.permit().is_ok());
}

#[tokio::test(start_paused = true)]
async fn dropped_probe_returns_its_permit_without_an_outcome() {
    let breaker = opened();
    advance(LIMIT.open_for).await;
    for _ in 0..10 {
        drop(breaker.permit().unwrap_or_else(|open| panic!("{open}")));
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    call(&breaker, true);
    call(&breaker, true);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn outcome_of_a_call_from_an_earlier_state_is_ignored() {
    let breaker = Breaker::new("test", LIMIT);
    let late = breaker.permit().unwrap_or_else(|open| panic!("{open}"));
    (0..4).for_each(|_| call(&breaker, false));
    advance(LIMIT.open_for).await;
    call(&breaker, true);
    late.failed();
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "a call from before the change is no probe");
}

#[tokio::test(start_paused = true)]
async fn forced_state_overrides_outcomes_until_released() {
    let breaker = Breaker::new("test", LIMIT);
    breaker.force(Some(ForcedState::Open));
    assert!(breaker.permit().is_err());
    breaker.force(Some(ForcedState::Closed));
    (0..100).for_each(|_| call(&breaker, false));
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.force(None);
    (0..3).for_each(|_| call(&breaker, false));
    assert_eq!(breaker.state(), BreakerState::Closed, "outcomes while forced do not count");
    call(&breaker, false);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn each_change_notifies_the_listener_and_the_metrics_once() {
    let exporter = voelgoed_telemetry::install("test");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let breaker = Breaker::new("test_listener", LIMIT).on_change({
        let seen = Arc::clone(&seen);
        move |state| seen.lock().unwrap().push(state)
    });
    (0..4).for_each(|_| call(&breaker, false));
    breaker.permit().map(drop).unwrap_err();
    advance(LIMIT.open_for).await;
    call(&breaker, true);
    call(&breaker, true);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen, [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed]);
    let text = exporter.render();
    let transitions = text.lines().filter(|line| {
        line.starts_with("voelgoed_breaker_transitions_total{")
            && line.contains("test_listener")
            && line.ends_with(" 1")
    });
    assert_eq!(transitions.count(), 3);
}

proptest! {
    #[test]
    fn closed_breaker_opens_exactly_when_the_window_reaches_the_share(
        outcomes in prop::collection::vec(any::<bool>(), 0..200), window in 1_usize..20, percent in 1_usize..=100,
    ) {
        let breaker = Breaker::new("test", BreakerLimit { window, failures_percent: percent, ..LIMIT });
        for end in 1..=outcomes.len() {
            let last = &outcomes[end.saturating_sub(window)..end];
            let failures = last.iter().filter(|failed| **failed).count();
            let opens = last.len() == window && failures > 0 && failures * 100 >= percent * window;
            call(&breaker, !outcomes[end - 1]);
            prop_assert_eq!(breaker.state() == BreakerState::Open, opens);
            if opens {
                break;
            }
        }
    }
}
