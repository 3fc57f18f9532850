//! Every order state × attempt state × observation × moment, spelled out.

use std::time::Duration;

use super::{AttemptFacts, Decision, LateWhy, Observation, OrderFacts, PAY_BY_GRACE, decide};
use crate::checkout::order::OrderState;
use crate::machine::Machine;
use crate::money::{Currency, Money};
use crate::payments::attempt::AttemptState;
use crate::payments::facts::{PAY_BY, attempt, eur, order};
use crate::time::Timestamp;

/// In the order of the tables' columns.
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

fn letter(decision: &Decision) -> char {
    match decision {
        Decision::Nothing => '.',
        Decision::NoAttempt => unreachable!("the rule is asked about attempts that are there"),
        Decision::Ask => '?',
        Decision::Record(AttemptState::Pending) => 'p',
        Decision::Record(AttemptState::Unknown) => 'u',
        Decision::Record(other) => panic!("{other} is not recorded on its own"),
        Decision::Fail { .. } => 'f',
        Decision::Void { expire_order: false } => 'v',
        Decision::Void { expire_order: true } => 'X',
        Decision::Issue => 'I',
        Decision::CapturedLate { why: LateWhy::OrderClosed } => 'c',
        Decision::CapturedLate { why: LateWhy::AlreadyPaid } => 'a',
        Decision::CapturedLate { why: LateWhy::AmountDiffers } => 'm',
        Decision::CapturedLate { why: LateWhy::CurrencyDiffers } => 'y',
    }
}

/// One line per attempt state, one letter per observation.
fn table(order: &OrderFacts, now: Timestamp, adjust: impl Fn(&mut AttemptFacts)) -> String {
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
fn an_order_that_waits_and_has_time() {
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
fn an_order_that_waits_and_has_no_time_left() {
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
fn an_order_that_was_paid_by_another_attempt() {
    for state in [OrderState::Paid, OrderState::PartiallyRefunded, OrderState::Refunded] {
        for now in before_the_grace_ends().into_iter().chain(after_the_grace()) {
            assert_table(
                &table(&OrderFacts { state, ..order(eur(5_000)) }, now, |_| {}),
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
fn an_order_that_is_closed() {
    for state in [OrderState::Expired, OrderState::Cancelled] {
        for now in before_the_grace_ends().into_iter().chain(after_the_grace()) {
            assert_table(
                &table(&OrderFacts { state, ..order(eur(5_000)) }, now, |_| {}),
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
fn a_refused_connection_proves_nothing_once_another_sender_went_silent() {
    assert_table(
        &table(&order(eur(5_000)), PAY_BY.minus(MICRO), |attempt| attempt.taken_over = true),
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
fn an_attempt_over_another_amount_than_the_order_never_pays_it() {
    let mut attempt = attempt(1, AttemptState::Pending);
    attempt.amount = eur(4_999);
    let seen = |amount| Observation::Captured { amount, provider_ref: "psp-1".to_owned() };
    for amount in [4_999, 5_000] {
        let decision = decide(&order(eur(5_000)), &attempt, &seen(eur(amount)), PAY_BY);
        assert_eq!(decision, Decision::CapturedLate { why: LateWhy::AmountDiffers });
    }
}

#[test]
fn the_buyer_hears_the_reason() {
    let seen = Observation::Declined { reason: "no funds".to_owned() };
    let decision = decide(&order(eur(5_000)), &attempt(1, AttemptState::Pending), &seen, PAY_BY);
    assert_eq!(decision, Decision::Fail { reason: "no funds".to_owned() });
}

/// Every order in every state, every attempt, observation and moment.
fn everything() -> impl Iterator<Item = (OrderFacts, AttemptFacts, Observation, Timestamp)> {
    let moments: Vec<_> = before_the_grace_ends().into_iter().chain(after_the_grace()).collect();
    OrderState::ALL.iter().flat_map(move |order_state| {
        let moments = moments.clone();
        AttemptState::ALL.iter().flat_map(move |attempt_state| {
            let moments = moments.clone();
            observations().into_iter().flat_map(move |seen| {
                let order = OrderFacts { state: *order_state, ..order(eur(5_000)) };
                let attempt = attempt(1, *attempt_state);
                moments.clone().into_iter().map(move |now| (order, attempt, seen.clone(), now))
            })
        })
    })
}

#[test]
fn every_decision_is_an_allowed_transition_and_repeating_the_observation_does_nothing() {
    let mut cases = 0;
    for (mut order, mut attempt, seen, now) in everything() {
        let decision = decide(&order, &attempt, &seen, now);
        if let Some(event) = decision.attempt_event() {
            attempt.state = attempt.state.after(event).unwrap();
        }
        if let Some(event) = decision.order_event() {
            order.state = order.state.after(event).unwrap();
        }
        match &decision {
            Decision::Record(state) => assert_eq!(attempt.state, *state),
            Decision::Issue => assert_eq!((order.state, attempt.state), (OrderState::Paid, AttemptState::Captured)),
            _ => {}
        }
        assert_eq!(decide(&order, &attempt, &seen, now), Decision::Nothing, "{seen:?} twice after {decision:?}");
        cases += 1;
    }
    assert_eq!(cases, 6 * 7 * 9 * 7);
}

#[test]
fn money_that_was_taken_is_never_forgotten() {
    for (order, attempt, seen, now) in everything() {
        let decision = decide(&order, &attempt, &seen, now);
        let took = matches!(seen, Observation::Captured { .. });
        let kept = matches!(decision, Decision::Issue | Decision::CapturedLate { .. });
        assert_eq!(kept, took && !attempt.state.has_captured(), "{seen:?} on {attempt:?}");
    }
}

#[test]
fn places_are_freed_only_by_a_confirmed_void_after_the_grace() {
    for (order, attempt, seen, now) in everything() {
        if decide(&order, &attempt, &seen, now).order_event() == Some(crate::checkout::order::OrderEvent::Expire) {
            assert_eq!(seen, Observation::Voided);
            assert_eq!(order.state, OrderState::AwaitingPayment);
            assert!(now >= PAY_BY.plus(PAY_BY_GRACE));
        }
    }
}

#[test]
fn claim_of_another_amount_is_asked_about_and_one_of_nothing_buys_nothing() {
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
        (AttemptState::CapturedLate, ("........", "........")),
    ] {
        let row = |seen: &dyn Fn(Money) -> Observation| -> String {
            amounts.iter().map(|amount| letter(&decide(&order, &attempt(1, state), &seen(*amount), now))).collect()
        };
        assert_eq!((row(&captured).as_str(), row(&claimed).as_str()), (&expected.0[..8], expected.1), "{state}");
    }
}
