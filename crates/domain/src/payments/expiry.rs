//! What the reconciler does with an order whose time to pay runs out, and whether another attempt may begin.
//!
//! Never: freeing places while an attempt could still take money (P2); two attempts at once that could.
//! To add a step: a variant of [`ExpiryStep`], and its rows in the table.

use std::time::Duration;
use voelgoed_planted::{Bug, planted};

use super::attempt::AttemptState;
use super::decide::{AttemptFacts, Cancellation, OrderFacts, PAY_BY_GRACE, is_over};
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::refusal::{Code, Refusal};
use crate::ticketing::limits::PAYMENT_ATTEMPTS;
use crate::time::Timestamp;

/// How long after `pay_by` an attempt may stay unresolved before a person is called.
pub const UNRESOLVED_ALARM_AFTER: Duration = Duration::from_secs(15 * 60);

/// How often one order may try to be paid.
pub const ATTEMPTS_PER_ORDER: usize = 10;

/// What to do next with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryStep {
    /// Nothing now: there is time left, or the order does not wait for payment.
    Wait,
    /// Ask the provider to cancel this attempt; its answer decides.
    CancelAtProvider(PaymentId),
    /// No attempt could still be captured for it: expire the order, free its places.
    Expire,
}

/// The next step towards the end of an order that nobody paid; repeatable, so a crash between two steps loses nothing.
#[must_use]
pub fn expiry(order: &OrderFacts, attempts: &[AttemptFacts], now: Timestamp) -> ExpiryStep {
    let paying = attempts.iter().any(|attempt| attempt.state == AttemptState::Captured);
    if !is_over(order, now) || paying {
        return ExpiryStep::Wait;
    }
    let mut step = ExpiryStep::Expire;
    for attempt in attempts.iter().filter(|attempt| attempt.state.is_unresolved()) {
        match attempt.cancellation {
            Cancellation::AtProvider if planted(Bug::FreedWithoutProvider) => {}
            Cancellation::AtProvider => return ExpiryStep::CancelAtProvider(attempt.id),
            Cancellation::Unsupported { grace } if now < order.pay_by.plus(grace.max(PAY_BY_GRACE)) => {
                step = ExpiryStep::Wait;
            }
            Cancellation::Unsupported { .. } => {}
        }
    }
    step
}

/// Whether buyer or organizer may give the order up now.
///
/// # Errors
/// [`Code::WrongState`] where it does not wait for payment, [`Code::PaymentUnresolved`] while an attempt could still be captured.
pub fn may_cancel(order: &OrderFacts, attempts: &[AttemptFacts]) -> Result<(), Refusal> {
    if order.state != OrderState::AwaitingPayment {
        return Err(Refusal::new(Code::WrongState, "Only an order that waits for payment can be cancelled."));
    }
    refuse_unresolved(attempts)
}

/// Whether another attempt may begin.
///
/// # Errors
/// [`Code::NotPayable`] where the order takes no payments (any more), [`Code::PaymentUnresolved`] while an earlier attempt could still be
/// captured, [`Code::LimitReached`] after [`ATTEMPTS_PER_ORDER`].
pub fn may_open_attempt(order: &OrderFacts, attempts: &[AttemptFacts], now: Timestamp) -> Result<(), Refusal> {
    if order.state != OrderState::AwaitingPayment {
        return Err(Refusal::new(Code::NotPayable, "This order does not wait for a payment."));
    }
    if now >= order.pay_by {
        return Err(Refusal::new(Code::NotPayable, "The time to pay for this order is over."));
    }
    refuse_unresolved(attempts)?;
    if attempts.len() >= ATTEMPTS_PER_ORDER {
        let most = ATTEMPTS_PER_ORDER as u64;
        return Err(Refusal::limit(PAYMENT_ATTEMPTS, most, "This order was tried too often."));
    }
    Ok(())
}

/// True where a person must be called: the attempt is unresolved long after its order's time.
#[must_use]
pub fn is_alarming(order: &OrderFacts, attempt: &AttemptFacts, now: Timestamp) -> bool {
    attempt.state.is_unresolved() && now >= order.pay_by.plus(UNRESOLVED_ALARM_AFTER)
}

fn refuse_unresolved(attempts: &[AttemptFacts]) -> Result<(), Refusal> {
    let open = |attempt: &AttemptFacts| attempt.state.is_unresolved() || attempt.state == AttemptState::Captured;
    if attempts.iter().any(open) {
        return Err(Refusal::new(Code::PaymentUnresolved, "An earlier payment of this order is not settled yet."));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
