//! The next step for every set of attempts at the edges of time, and who may begin another attempt.

use std::time::Duration;

use super::{
    ATTEMPTS_PER_ORDER, ExpiryStep, UNRESOLVED_ALARM_AFTER, expiry, is_alarming, may_cancel, may_open_attempt,
};
use crate::checkout::order::OrderState;
use crate::payments::attempt::AttemptState::{self, Captured, CapturedLate, Created, Failed, Pending, Unknown, Voided};
use crate::payments::decide::{AttemptFacts, Cancellation, OrderFacts, PAY_BY_GRACE};
use crate::payments::facts::{PAY_BY, attempt, eur, order};
use crate::time::Timestamp;

const MICRO: Duration = Duration::from_micros(1);

fn attempts(states: &[AttemptState]) -> Vec<AttemptFacts> {
    (1..).zip(states).map(|(number, state)| attempt(number, *state)).collect()
}

fn step(states: &[AttemptState], now: Timestamp) -> String {
    shown(&order(eur(5_000)), &attempts(states), now)
}

fn shown(order: &OrderFacts, attempts: &[AttemptFacts], now: Timestamp) -> String {
    match expiry(order, attempts, now) {
        ExpiryStep::Wait => "wait".to_owned(),
        ExpiryStep::CancelAtProvider(id) => format!("cancel {}", id.uuid().as_u128()),
        ExpiryStep::Expire => "expire".to_owned(),
    }
}

#[test]
fn after_the_grace_every_unresolved_attempt_is_asked_about_and_then_the_order_expires() {
    let end = PAY_BY.plus(PAY_BY_GRACE);
    let table: &[(&[AttemptState], &str)] = &[
        (&[], "expire"),
        (&[Created], "cancel 1"),
        (&[Pending], "cancel 1"),
        (&[Unknown], "cancel 1"),
        (&[Captured], "wait"),
        (&[CapturedLate], "expire"),
        (&[Failed], "expire"),
        (&[Voided], "expire"),
        (&[Failed, Unknown], "cancel 2"),
        (&[Voided, Failed, Failed], "expire"),
        (&[Failed, Captured], "wait"),
        (&[CapturedLate, Pending], "cancel 2"),
        (&[Unknown, Captured], "wait"),
    ];
    for (states, expected) in table {
        assert_eq!(step(states, end.minus(MICRO)), "wait", "{states:?} within the grace");
        assert_eq!(step(states, PAY_BY.minus(Duration::from_secs(60))), "wait", "{states:?} in time");
        assert_eq!(step(states, end), *expected, "{states:?}");
        assert_eq!(step(states, end.plus(Duration::from_secs(86_400))), *expected, "{states:?} a day later");
    }
}

#[test]
fn an_order_that_does_not_wait_for_payment_never_expires() {
    for state in OrderState::ALL.iter().filter(|state| **state != OrderState::AwaitingPayment) {
        for attempt_state in AttemptState::ALL {
            let order = OrderFacts { state: *state, ..order(eur(5_000)) };
            let later = PAY_BY.plus(Duration::from_secs(86_400));
            assert_eq!(shown(&order, &attempts(&[*attempt_state]), later), "wait", "{state} {attempt_state}");
        }
    }
}

#[test]
fn a_provider_without_cancel_gets_the_time_it_stated() {
    let unsupported = |seconds| {
        let mut facts = attempt(1, Pending);
        facts.cancellation = Cancellation::Unsupported { grace: Duration::from_secs(seconds) };
        facts
    };
    let table = [
        (unsupported(60), PAY_BY.plus(Duration::from_secs(60)).minus(MICRO), "wait"),
        (unsupported(60), PAY_BY.plus(Duration::from_secs(60)), "expire"),
        (unsupported(0), PAY_BY.plus(PAY_BY_GRACE).minus(MICRO), "wait"),
        (unsupported(0), PAY_BY.plus(PAY_BY_GRACE), "expire"),
        (unsupported(2), PAY_BY.plus(PAY_BY_GRACE), "expire"),
    ];
    for (facts, now, expected) in table {
        assert_eq!(shown(&order(eur(5_000)), &[facts], now), expected, "{facts:?} at {now}");
    }
    let both = [unsupported(3_600), attempt(2, Unknown)];
    assert_eq!(shown(&order(eur(5_000)), &both, PAY_BY.plus(PAY_BY_GRACE)), "cancel 2");
}

#[test]
fn who_may_begin_another_attempt() {
    let in_time = PAY_BY.minus(MICRO);
    let many = [Failed; ATTEMPTS_PER_ORDER];
    let one_less = [Failed; ATTEMPTS_PER_ORDER - 1];
    let table: &[(OrderState, &[AttemptState], Timestamp, &str)] = &[
        (OrderState::AwaitingPayment, &[], in_time, "ok"),
        (OrderState::AwaitingPayment, &[], PAY_BY, "not_payable"),
        (OrderState::AwaitingPayment, &[Failed], in_time, "ok"),
        (OrderState::AwaitingPayment, &[Voided, Failed], in_time, "ok"),
        (OrderState::AwaitingPayment, &[CapturedLate], in_time, "ok"),
        (OrderState::AwaitingPayment, &[Created], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Pending], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Unknown], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Failed, Unknown], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Unknown, Failed], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Captured], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Unknown], PAY_BY, "not_payable"),
        (OrderState::AwaitingPayment, &one_less, in_time, "ok"),
        (OrderState::AwaitingPayment, &many, in_time, "limit_reached"),
        (OrderState::Paid, &[Captured], in_time, "not_payable"),
        (OrderState::Paid, &[], in_time, "not_payable"),
        (OrderState::Cancelled, &[], in_time, "not_payable"),
        (OrderState::Expired, &[Voided], in_time, "not_payable"),
        (OrderState::PartiallyRefunded, &[], in_time, "not_payable"),
        (OrderState::Refunded, &[], in_time, "not_payable"),
    ];
    for (state, states, now, expected) in table {
        let order = OrderFacts { state: *state, ..order(eur(5_000)) };
        let got =
            may_open_attempt(&order, &attempts(states), *now).map_or_else(|refusal| refusal.code.as_str(), |()| "ok");
        assert_eq!(got, *expected, "{state} {states:?} at {now}");
    }
}

#[test]
fn who_may_give_the_order_up() {
    for state in OrderState::ALL {
        for attempt_state in AttemptState::ALL {
            let expected = match (state, attempt_state) {
                (OrderState::AwaitingPayment, Failed | Voided | CapturedLate) => "ok",
                (OrderState::AwaitingPayment, Created | Pending | Unknown | Captured) => "payment_unresolved",
                _ => "wrong_state",
            };
            let order = OrderFacts { state: *state, ..order(eur(5_000)) };
            let got = may_cancel(&order, &attempts(&[*attempt_state]))
                .map_or_else(|refusal| refusal.code.as_str(), |()| "ok");
            assert_eq!(got, expected, "{state} {attempt_state}");
        }
    }
}

#[test]
fn a_person_is_called_for_what_stays_unresolved() {
    let late = PAY_BY.plus(UNRESOLVED_ALARM_AFTER);
    for state in AttemptState::ALL {
        let facts = attempt(1, *state);
        assert!(!is_alarming(&order(eur(5_000)), &facts, late.minus(MICRO)), "{state}");
        assert_eq!(
            is_alarming(&order(eur(5_000)), &facts, late),
            matches!(state, Created | Pending | Unknown),
            "{state}"
        );
    }
}
