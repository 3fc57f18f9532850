//! Decides the next step for an order whose time to pay runs out, and whether another attempt may open.
//!
//! Never: frees places while an attempt may still be captured (P2), or opens a second attempt that may be captured.
//! To add a step: a variant of [`ExpiryStep`], and its rows in the table.

use std::time::Duration;

use super::attempt::AttemptState;
use super::decide::{AttemptInputs, Cancellation, OrderInputs, PAY_BY_GRACE, is_overdue};
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::refusal::{Code, Refusal};
use crate::ticketing::limits::PAYMENT_ATTEMPTS;
use crate::time::Timestamp;

/// How long after `pay_by` an unresolved attempt raises the alarm.
pub const UNRESOLVED_ALARM_AFTER: Duration = Duration::from_secs(15 * 60);

/// How many payment attempts one order may have.
pub const ATTEMPTS_PER_ORDER_MAX: usize = 10;

/// The next step for an unpaid order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryStep {
    /// Nothing now: there is time left, or the order does not await payment.
    Wait,
    /// Request the cancellation of this attempt from the provider, whose answer decides.
    CancelAtProvider(PaymentId),
    /// No attempt may still be captured: expire the order and free its places.
    Expire,
}

/// The next step towards the expiry of an unpaid order; repeatable, so a crash between two steps loses nothing.
#[must_use]
pub fn expiry(order: &OrderInputs, attempts: &[AttemptInputs], now: Timestamp) -> ExpiryStep {
    let captured = attempts.iter().any(|attempt| attempt.state == AttemptState::Captured);
    if !is_overdue(order, now) || captured {
        return ExpiryStep::Wait;
    }
    let mut step = ExpiryStep::Expire;
    for attempt in attempts.iter().filter(|attempt| attempt.state.is_unresolved()) {
        match attempt.cancellation {
            Cancellation::AtProvider => return ExpiryStep::CancelAtProvider(attempt.id),
            Cancellation::Unsupported { grace } if now < order.pay_by.plus(grace.max(PAY_BY_GRACE)) => {
                step = ExpiryStep::Wait;
            }
            Cancellation::Unsupported { .. } => {}
        }
    }
    step
}

/// Checks that buyer or organizer may cancel the order.
///
/// # Errors
/// [`Code::WrongState`] where the order does not await payment, [`Code::PaymentUnresolved`] while an attempt may still be captured.
pub fn may_cancel(order: &OrderInputs, attempts: &[AttemptInputs]) -> Result<(), Refusal> {
    if order.state != OrderState::AwaitingPayment {
        return Err(Refusal::new(
            Code::WrongState,
            "Only an order that awaits payment can be cancelled. A paid order can be refunded instead.",
        ));
    }
    refuse_unresolved(attempts)
}

/// Checks that another attempt may open.
///
/// # Errors
/// [`Code::NotPayable`] where the order takes no payment, [`Code::PaymentUnresolved`] while an earlier attempt may still be captured,
/// [`Code::LimitReached`] after [`ATTEMPTS_PER_ORDER_MAX`].
pub fn may_open_attempt(order: &OrderInputs, attempts: &[AttemptInputs], now: Timestamp) -> Result<(), Refusal> {
    if order.state != OrderState::AwaitingPayment {
        return Err(Refusal::new(Code::NotPayable, "This order does not await payment. Nothing was charged."));
    }
    if now >= order.pay_by {
        return Err(Refusal::new(
            Code::NotPayable,
            "The time to pay for this order is over. Nothing was charged; order again.",
        ));
    }
    refuse_unresolved(attempts)?;
    if attempts.len() >= ATTEMPTS_PER_ORDER_MAX {
        let attempts_max = ATTEMPTS_PER_ORDER_MAX as u64;
        let detail = "This order has had too many payment attempts. Nothing was charged; order again.";
        return Err(Refusal::limit(PAYMENT_ATTEMPTS, attempts_max, detail));
    }
    Ok(())
}

/// True where the attempt is unresolved so long after `pay_by` that a person must look at it.
#[must_use]
pub fn is_alarming(order: &OrderInputs, attempt: &AttemptInputs, now: Timestamp) -> bool {
    attempt.state.is_unresolved() && now >= order.pay_by.plus(UNRESOLVED_ALARM_AFTER)
}

fn refuse_unresolved(attempts: &[AttemptInputs]) -> Result<(), Refusal> {
    let open = |attempt: &AttemptInputs| attempt.state.is_unresolved() || attempt.state == AttemptState::Captured;
    if attempts.iter().any(open) {
        return Err(Refusal::new(
            Code::PaymentUnresolved,
            "An earlier payment of this order is unresolved. Wait for its result, so that the order is not paid twice.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
