//! Tests the next step for every set of attempts at the edges of time, and when another attempt may open.

use std::time::Duration;

use super::{
    ATTEMPTS_PER_ORDER_MAX, ExpiryStep, UNRESOLVED_ALARM_AFTER, expiry, is_alarming, may_cancel, may_open_attempt,
};
use crate::checkout::order::OrderState;
use crate::payments::attempt::AttemptState::{
    self, Captured, CapturedUnmatched, Created, Failed, Pending, Unknown, Voided,
};
use crate::payments::decide::{AttemptInputs, Cancellation, OrderInputs, PAY_BY_GRACE};
use crate::payments::fixtures::{PAY_BY, attempt, eur, order};
use crate::time::Timestamp;

const MICRO: Duration = Duration::from_micros(1);

fn attempts(states: &[AttemptState]) -> Vec<AttemptInputs> {
    (1..).zip(states).map(|(number, state)| attempt(number, *state)).collect()
}

fn step(states: &[AttemptState], now: Timestamp) -> String {
    describe(&order(eur(5_000)), &attempts(states), now)
}

fn describe(order: &OrderInputs, attempts: &[AttemptInputs], now: Timestamp) -> String {
    match expiry(order, attempts, now) {
        ExpiryStep::Wait => "wait".to_owned(),
        ExpiryStep::CancelAtProvider(id) => format!("cancel {}", id.uuid().as_u128()),
        ExpiryStep::Expire => "expire".to_owned(),
    }
}

#[test]
fn after_the_grace_unresolved_attempts_are_cancelled_before_the_order_expires() {
    let end = PAY_BY.plus(PAY_BY_GRACE);
    let table: &[(&[AttemptState], &str)] = &[
        (&[], "expire"),
        (&[Created], "cancel 1"),
        (&[Pending], "cancel 1"),
        (&[Unknown], "cancel 1"),
        (&[Captured], "wait"),
        (&[CapturedUnmatched], "expire"),
        (&[Failed], "expire"),
        (&[Voided], "expire"),
        (&[Failed, Unknown], "cancel 2"),
        (&[Voided, Failed, Failed], "expire"),
        (&[Failed, Captured], "wait"),
        (&[CapturedUnmatched, Pending], "cancel 2"),
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
fn order_that_does_not_await_payment_never_expires() {
    for state in OrderState::ALL.iter().filter(|state| **state != OrderState::AwaitingPayment) {
        for attempt_state in AttemptState::ALL {
            let order = OrderInputs { state: *state, ..order(eur(5_000)) };
            let later = PAY_BY.plus(Duration::from_secs(86_400));
            assert_eq!(describe(&order, &attempts(&[*attempt_state]), later), "wait", "{state} {attempt_state}");
        }
    }
}

#[test]
fn provider_without_cancellation_gets_its_stated_grace() {
    let unsupported = |seconds| {
        let mut inputs = attempt(1, Pending);
        inputs.cancellation = Cancellation::Unsupported { grace: Duration::from_secs(seconds) };
        inputs
    };
    let table = [
        (unsupported(60), PAY_BY.plus(Duration::from_secs(60)).minus(MICRO), "wait"),
        (unsupported(60), PAY_BY.plus(Duration::from_secs(60)), "expire"),
        (unsupported(0), PAY_BY.plus(PAY_BY_GRACE).minus(MICRO), "wait"),
        (unsupported(0), PAY_BY.plus(PAY_BY_GRACE), "expire"),
        (unsupported(2), PAY_BY.plus(PAY_BY_GRACE), "expire"),
    ];
    for (inputs, now, expected) in table {
        assert_eq!(describe(&order(eur(5_000)), &[inputs], now), expected, "{inputs:?} at {now}");
    }
    let both = [unsupported(3_600), attempt(2, Unknown)];
    assert_eq!(describe(&order(eur(5_000)), &both, PAY_BY.plus(PAY_BY_GRACE)), "cancel 2");
}

#[test]
fn another_attempt_opens_only_when_none_can_still_capture() {
    let in_time = PAY_BY.minus(MICRO);
    let many = [Failed; ATTEMPTS_PER_ORDER_MAX];
    let one_fewer = [Failed; ATTEMPTS_PER_ORDER_MAX - 1];
    let table: &[(OrderState, &[AttemptState], Timestamp, &str)] = &[
        (OrderState::AwaitingPayment, &[], in_time, "ok"),
        (OrderState::AwaitingPayment, &[], PAY_BY, "not_payable"),
        (OrderState::AwaitingPayment, &[Failed], in_time, "ok"),
        (OrderState::AwaitingPayment, &[Voided, Failed], in_time, "ok"),
        (OrderState::AwaitingPayment, &[CapturedUnmatched], in_time, "ok"),
        (OrderState::AwaitingPayment, &[Created], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Pending], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Unknown], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Failed, Unknown], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Unknown, Failed], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Captured], in_time, "payment_unresolved"),
        (OrderState::AwaitingPayment, &[Unknown], PAY_BY, "not_payable"),
        (OrderState::AwaitingPayment, &one_fewer, in_time, "ok"),
        (OrderState::AwaitingPayment, &many, in_time, "limit_reached"),
        (OrderState::Paid, &[Captured], in_time, "not_payable"),
        (OrderState::Paid, &[], in_time, "not_payable"),
        (OrderState::Cancelled, &[], in_time, "not_payable"),
        (OrderState::Expired, &[Voided], in_time, "not_payable"),
        (OrderState::PartiallyRefunded, &[], in_time, "not_payable"),
        (OrderState::Refunded, &[], in_time, "not_payable"),
    ];
    for (state, states, now, expected) in table {
        let order = OrderInputs { state: *state, ..order(eur(5_000)) };
        let got =
            may_open_attempt(&order, &attempts(states), *now).map_or_else(|refusal| refusal.code.as_str(), |()| "ok");
        assert_eq!(got, *expected, "{state} {states:?} at {now}");
    }
}

#[test]
fn order_is_cancelled_only_without_unresolved_attempts() {
    for state in OrderState::ALL {
        for attempt_state in AttemptState::ALL {
            let expected = match (state, attempt_state) {
                (OrderState::AwaitingPayment, Failed | Voided | CapturedUnmatched) => "ok",
                (OrderState::AwaitingPayment, Created | Pending | Unknown | Captured) => "payment_unresolved",
                _ => "wrong_state",
            };
            let order = OrderInputs { state: *state, ..order(eur(5_000)) };
            let got = may_cancel(&order, &attempts(&[*attempt_state]))
                .map_or_else(|refusal| refusal.code.as_str(), |()| "ok");
            assert_eq!(got, expected, "{state} {attempt_state}");
        }
    }
}

#[test]
fn attempt_unresolved_long_after_pay_by_raises_the_alarm() {
    let late = PAY_BY.plus(UNRESOLVED_ALARM_AFTER);
    for state in AttemptState::ALL {
        let inputs = attempt(1, *state);
        assert!(!is_alarming(&order(eur(5_000)), &inputs, late.minus(MICRO)), "{state}");
        assert_eq!(
            is_alarming(&order(eur(5_000)), &inputs, late),
            matches!(state, Created | Pending | Unknown),
            "{state}"
        );
    }
}
