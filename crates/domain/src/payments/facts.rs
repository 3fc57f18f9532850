//! The order and attempts that this slice's tests start from.

use uuid::Uuid;

use super::attempt::AttemptState;
use super::decide::{AttemptFacts, OrderFacts};
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::money::{Currency, Money};
use crate::time::Timestamp;

/// When the order of [`order`] must be paid.
pub(super) const PAY_BY: Timestamp = Timestamp::from_micros(1_000_000_000_000);

/// So many cents.
pub(super) fn eur(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

/// An order that waits for payment until [`PAY_BY`].
pub(super) fn order(total: Money) -> OrderFacts {
    OrderFacts { state: OrderState::AwaitingPayment, total, pay_by: PAY_BY }
}

/// The attempt number `number`, in `state`, over 50 EUR.
pub(super) fn attempt(number: u128, state: AttemptState) -> AttemptFacts {
    AttemptFacts::new(PaymentId::from_uuid(Uuid::from_u128(number)), state, eur(5_000))
}
