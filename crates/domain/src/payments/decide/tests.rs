//! Tests the payment decision for every order state, attempt state, observation and moment.

use std::time::Duration;

use super::{AttemptInputs, Observation, OrderInputs, PAY_BY_GRACE, PaymentDecision, UnmatchedReason, decide};
use crate::checkout::order::OrderState;
use crate::money::{Currency, Money};
use crate::payments::attempt::AttemptState;
use crate::payments::fixtures::{PAY_BY, attempt, eur, order};
use crate::state_machine::StateMachine;
use crate::time::Timestamp;

/// The observations, in the order of the tables' columns.
fn observations() -> [Observation; 9] {
    let captured = |amount| Observation::Captured { amount, provider_ref: "psp-1".to_owned() };
    [
        Observation::Pending,
        captured(eur(5_000)),
        captured(eur(4_999)),
        captured(Money::new(5_000, Currency::USD)),
        Observation::Declined { reason: "no funds".to_owned() },
        Observation::Voided,
        Observation::NotReached,
        Observation::Absent,
        Observation::NoAnswer,
    ]
}

fn letter(decision: &PaymentDecision) -> char {
    match decision {
        PaymentDecision::Nothing => '.',
        PaymentDecision::NoAttempt => unreachable!("the rule decides about stored attempts only"),
        PaymentDecision::QueryProvider => '?',
        PaymentDecision::Record(AttemptState::Pending) => 'p',
        PaymentDecision::Record(AttemptState::Unknown) => 'u',
        PaymentDecision::Record(other) => panic!("{other} is not recorded on its own"),
        PaymentDecision::Fail { .. } => 'f',
        PaymentDecision::Void { expire_order: false } => 'v',
        PaymentDecision::Void { expire_order: true } => 'X',
        PaymentDecision::Issue => 'I',
        PaymentDecision::CapturedUnmatched { why: UnmatchedReason::OrderClosed } => 'c',
        PaymentDecision::CapturedUnmatched { why: UnmatchedReason::AlreadyPaid } => 'a',
        PaymentDecision::CapturedUnmatched { why: UnmatchedReason::AmountDiffers } => 'm',
        PaymentDecision::CapturedUnmatched { why: UnmatchedReason::CurrencyDiffers } => 'y',
    }
}

/// One line per attempt state, one letter per observation.
fn table(order: &OrderInputs, now: Timestamp, adjust: impl Fn(&mut AttemptInputs)) -> String {
    let row = |state: &AttemptState| {
        let mut attempt = attempt(1, *state);
        adjust(&mut attempt);
        let letters: String = observations().iter().map(|seen| letter(&decide(order, &attempt, seen, now))).collect();
        format!("{state}: {letters}\n")
    };
    AttemptState::ALL.iter().map(row).collect()
}

#[track_caller]
fn assert_table(got: &str, expected: &str) {
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    assert_eq!(got, expected.trim().lines().map(squeeze).collect::<String>());
}

const MICRO: Duration = Duration::from_micros(1);

fn before_the_grace_ends() -> [Timestamp; 4] {
    [PAY_BY.minus(Duration::from_secs(600)), PAY_BY.minus(MICRO), PAY_BY, PAY_BY.plus(PAY_BY_GRACE).minus(MICRO)]
}

fn after_the_grace() -> [Timestamp; 3] {
    let end = PAY_BY.plus(PAY_BY_GRACE);
    [end, end.plus(MICRO), end.plus(Duration::from_secs(86_400))]
}

//  p  pending recorded      f  failed            I  issue            m  late: amount differs
//  u  unknown recorded      v  void              c  late: closed     y  late: currency differs
//  .  nothing               X  void and expire   a  late: paid
//  columns: pending, captured, other amount, other currency, declined, voided, not reached, absent, no answer

#[test]
fn order_in_time_is_paid_by_a_capture_and_stays_open_after_a_void() {
    for now in before_the_grace_ends() {
        assert_table(
            &table(&order(eur(5_000)), now, |_| {}),
            "created:       pImyfvf.u
             pending:       .Imyfv...
             unknown:       pImyfv...
             captured:      .........
             captured_late: .........
             failed:        .Imy.....
             voided:        .Imy.....",
        );
    }
}

#[test]
fn order_after_the_grace_is_paid_by_a_capture_and_expires_with_a_void() {
    for now in after_the_grace() {
        assert_table(
            &table(&order(eur(5_000)), now, |_| {}),
            "created:       pImyfXf.u
             pending:       .ImyfX..u
             unknown:       pImyfX...
             captured:      .........
             captured_late: .........
             failed:        .Imy.....
             voided:        .Imy.....",
        );
    }
}

#[test]
fn capture_for_an_order_paid_by_another_attempt_is_late() {
    for state in [OrderState::Paid, OrderState::PartiallyRefunded, OrderState::Refunded] {
        for now in before_the_grace_ends().into_iter().chain(after_the_grace()) {
            assert_table(
                &table(&OrderInputs { state, ..order(eur(5_000)) }, now, |_| {}),
                "created:       pamyfvf.u
                 pending:       .amyfv...
                 unknown:       pamyfv...
                 captured:      .........
                 captured_late: .........
                 failed:        .amy.....
                 voided:        .amy.....",
            );
        }
    }
}

#[test]
fn capture_for_a_closed_order_is_late() {
    for state in [OrderState::Expired, OrderState::Cancelled] {
        for now in before_the_grace_ends().into_iter().chain(after_the_grace()) {
            assert_table(
                &table(&OrderInputs { state, ..order(eur(5_000)) }, now, |_| {}),
                "created:       pcmyfvf.u
                 pending:       .cmyfv...
                 unknown:       pcmyfv...
                 captured:      .........
                 captured_late: .........
                 failed:        .cmy.....
                 voided:        .cmy.....",
            );
        }
    }
}

#[test]
fn refused_connection_leaves_the_attempt_unknown_after_a_second_sender() {
    assert_table(
        &table(&order(eur(5_000)), PAY_BY.minus(MICRO), |attempt| attempt.has_second_sender = true),
        "created:       pImyfvu.u
         pending:       .Imyfv...
         unknown:       pImyfv...
         captured:      .........
         captured_late: .........
         failed:        .Imy.....
         voided:        .Imy.....",
    );
}

#[test]
fn attempt_with_another_amount_than_the_order_never_pays_it() {
    let mut attempt = attempt(1, AttemptState::Pending);
    attempt.amount = eur(4_999);
    let seen = |amount| Observation::Captured { amount, provider_ref: "psp-1".to_owned() };
    for amount in [4_999, 5_000] {
        let decision = decide(&order(eur(5_000)), &attempt, &seen(eur(amount)), PAY_BY);
        assert_eq!(decision, PaymentDecision::CapturedUnmatched { why: UnmatchedReason::AmountDiffers });
    }
}

#[test]
fn declined_reason_reaches_the_buyer() {
    let seen = Observation::Declined { reason: "no funds".to_owned() };
    let decision = decide(&order(eur(5_000)), &attempt(1, AttemptState::Pending), &seen, PAY_BY);
    assert_eq!(decision, PaymentDecision::Fail { reason: "no funds".to_owned() });
}

/// Every combination of order state, attempt state, observation and moment.
fn all_cases() -> impl Iterator<Item = (OrderInputs, AttemptInputs, Observation, Timestamp)> {
    let moments: Vec<_> = before_the_grace_ends().into_iter().chain(after_the_grace()).collect();
    OrderState::ALL.iter().flat_map(move |order_state| {
        let moments = moments.clone();
        AttemptState::ALL.iter().flat_map(move |attempt_state| {
            let moments = moments.clone();
            observations().into_iter().flat_map(move |seen| {
                let order = OrderInputs { state: *order_state, ..order(eur(5_000)) };
                let attempt = attempt(1, *attempt_state);
                moments.clone().into_iter().map(move |now| (order, attempt, seen.clone(), now))
            })
        })
    })
}

#[test]
fn every_decision_is_an_allowed_transition_and_idempotent() {
    let mut cases = 0;
    for (mut order, mut attempt, seen, now) in all_cases() {
        let decision = decide(&order, &attempt, &seen, now);
        if let Some(transition) = decision.attempt_transition() {
            attempt.state = attempt.state.after(transition).unwrap();
        }
        if let Some(transition) = decision.order_transition() {
            order.state = order.state.after(transition).unwrap();
        }
        match &decision {
            PaymentDecision::Record(state) => assert_eq!(attempt.state, *state),
            PaymentDecision::Issue => {
                assert_eq!((order.state, attempt.state), (OrderState::Paid, AttemptState::Captured))
            }
            _ => {}
        }
        assert_eq!(decide(&order, &attempt, &seen, now), PaymentDecision::Nothing, "{seen:?} twice after {decision:?}");
        cases += 1;
    }
    assert_eq!(cases, 6 * 7 * 9 * 7);
}

#[test]
fn every_capture_is_issued_or_late() {
    for (order, attempt, seen, now) in all_cases() {
        let decision = decide(&order, &attempt, &seen, now);
        let took = matches!(seen, Observation::Captured { .. });
        let kept = matches!(decision, PaymentDecision::Issue | PaymentDecision::CapturedUnmatched { .. });
        assert_eq!(kept, took && !attempt.state.has_captured(), "{seen:?} on {attempt:?}");
    }
}

#[test]
fn places_are_freed_only_by_a_confirmed_void_after_the_grace() {
    for (order, attempt, seen, now) in all_cases() {
        if decide(&order, &attempt, &seen, now).order_transition()
            == Some(crate::checkout::order::OrderTransition::Expire)
        {
            assert_eq!(seen, Observation::Voided);
            assert_eq!(order.state, OrderState::AwaitingPayment);
            assert!(now >= PAY_BY.plus(PAY_BY_GRACE));
        }
    }
}

#[test]
fn claim_of_another_amount_is_verified_and_capture_of_zero_fails() {
    let order = order(eur(5_000));
    let now = Timestamp::from_micros(PAY_BY.micros() - 1);
    let captured = |amount| Observation::Captured { amount, provider_ref: "psp-1".to_owned() };
    let claimed = |amount| Observation::Claimed { amount, provider_ref: "psp-1".to_owned() };
    // Attempt state; captured and claimed: the whole, a part, more, zero, below zero, the largest, another currency.
    let amounts = [
        eur(5_000),
        eur(4_999),
        eur(5_001),
        eur(0),
        eur(-5_000),
        eur(i64::MIN),
        eur(i64::MAX),
        Money::new(5_000, Currency::USD),
    ];
    for (state, expected) in [
        (AttemptState::Created, ("Immfffmy", "I???????")),
        (AttemptState::Pending, ("Immfffmy", "I???????")),
        (AttemptState::Unknown, ("Immfffmy", "I???????")),
        (AttemptState::Failed, ("Imm...my", "I???????")),
        (AttemptState::Captured, ("........", "........")),
        (AttemptState::CapturedUnmatched, ("........", "........")),
    ] {
        let row = |seen: &dyn Fn(Money) -> Observation| -> String {
            amounts.iter().map(|amount| letter(&decide(&order, &attempt(1, state), &seen(*amount), now))).collect()
        };
        assert_eq!((row(&captured).as_str(), row(&claimed).as_str()), (&expected.0[..8], expected.1), "{state}");
    }
}
