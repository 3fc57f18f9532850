//! Builds the orders and attempts that the tests of this module start from.

use uuid::Uuid;

use super::attempt::AttemptState;
use super::decide::{AttemptInputs, OrderInputs};
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::money::{Currency, Money};
use crate::time::Timestamp;

/// When the time to pay of [`order`] ends.
pub(super) const PAY_BY: Timestamp = Timestamp::from_micros(1_000_000_000_000);

/// An amount in cents.
pub(super) fn eur(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

/// An order that awaits payment until [`PAY_BY`].
pub(super) fn order(total: Money) -> OrderInputs {
    OrderInputs { state: OrderState::AwaitingPayment, total, pay_by: PAY_BY }
}

/// An attempt over 50 EUR in `state`, with `number` as its id.
pub(super) fn attempt(number: u128, state: AttemptState) -> AttemptInputs {
    AttemptInputs::new(PaymentId::from_uuid(Uuid::from_u128(number)), state, eur(5_000))
}
