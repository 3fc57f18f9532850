//! Decides what becomes of a capture that its order can no longer use: the order is reissued, or the money refunded.
//!
//! Never: keeps the money without tickets, or decides twice (P2). To add a reason: a line in [`LateRefundReason`] and its rows in the table.

use super::decide::{LateCaptureReason, OrderInputs};
use super::refund::RefundState;
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::money::Money;
use crate::text_enum::text_enum;

text_enum! {
    /// Why a late capture is refunded; the refund stores the text.
    "reason of a late refund" LateRefundReason {
        /// Another attempt paid the order.
        AlreadyPaid = "already_paid",
        /// The captured amount is not the requested one.
        AmountDiffers = "amount_differs",
        /// The captured currency is not the requested one.
        CurrencyDiffers = "currency_differs",
        /// The order was cancelled.
        OrderCancelled = "order_cancelled",
        /// The event is no longer on sale.
        SaleClosed = "sale_closed",
        /// Some of the order's places are no longer free.
        PlacesGone = "places_gone",
    }
}

/// What becomes of a late capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateResolution {
    /// The order buys the same places again, and its tickets are issued.
    Reissue,
    /// The money is refunded without a request.
    Refund {
        /// Stored with the refund.
        reason: LateRefundReason,
    },
}

/// Decides on a late capture, given whether all of the order's places are free and the event is on sale.
#[must_use]
pub fn resolve_late(order: &OrderInputs, why: LateCaptureReason, places_free: bool, on_sale: bool) -> LateResolution {
    let refund = |reason| LateResolution::Refund { reason };
    match (why, order.state) {
        (LateCaptureReason::CurrencyDiffers, _) => refund(LateRefundReason::CurrencyDiffers),
        (LateCaptureReason::AmountDiffers, _) => refund(LateRefundReason::AmountDiffers),
        (LateCaptureReason::AlreadyPaid, _) => refund(LateRefundReason::AlreadyPaid),
        (LateCaptureReason::OrderClosed, state) if state.was_paid() => refund(LateRefundReason::AlreadyPaid),
        (LateCaptureReason::OrderClosed, OrderState::Cancelled) => refund(LateRefundReason::OrderCancelled),
        (LateCaptureReason::OrderClosed, _) if !on_sale => refund(LateRefundReason::SaleClosed),
        (LateCaptureReason::OrderClosed, _) if !places_free => refund(LateRefundReason::PlacesGone),
        (LateCaptureReason::OrderClosed, _) => LateResolution::Reissue,
    }
}

/// A refund of a late capture, as input of [`late_refund_owed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateRefundAttempt {
    /// The attempt whose capture is refunded.
    pub payment: PaymentId,
    /// The refund's state.
    pub state: RefundState,
    /// The refunded amount.
    pub amount: Money,
}

/// Finds a late capture that must be refunded again: every refund so far failed at the provider. The money was never the order's, so all of
/// it is refunded. A late capture without any refund is not owed yet, because its job may still reissue the order.
#[must_use]
pub fn late_refund_owed(late: &[PaymentId], refunds: &[LateRefundAttempt]) -> Option<(PaymentId, Money)> {
    late.iter().find_map(|payment| {
        let mut refunds = refunds.iter().filter(|refund| refund.payment == *payment);
        let first = refunds.next()?;
        let failed = |refund: &LateRefundAttempt| refund.state == RefundState::Failed;
        (failed(first) && refunds.all(failed)).then_some((*payment, first.amount))
    })
}

#[cfg(test)]
mod tests {
    use super::{LateRefundAttempt, LateResolution, late_refund_owed, resolve_late};
    use crate::checkout::order::OrderState;
    use crate::payments::attempt::AttemptState;
    use crate::payments::decide::{LateCaptureReason, OrderInputs};
    use crate::payments::fixtures::{attempt, eur, order};
    use crate::payments::refund::RefundState::{self, Done, Failed, Pending, Unknown};

    /// The refunds of late captures: number of the attempt, and state of the refund.
    type Refunds = &'static [(u128, RefundState)];

    #[test]
    fn late_capture_is_owed_until_a_refund_is_under_way() {
        let payment = |number| attempt(number, AttemptState::CapturedLate).id;
        let late = [payment(1), payment(2)];
        let rows: &[(Refunds, Option<u128>)] = &[
            (&[], None),
            (&[(1, Pending)], None),
            (&[(1, Unknown)], None),
            (&[(1, Done)], None),
            (&[(1, Failed)], Some(1)),
            (&[(1, Failed), (1, Failed)], Some(1)),
            (&[(1, Failed), (1, Pending)], None),
            (&[(1, Failed), (1, Done)], None),
            (&[(1, Done), (2, Failed)], Some(2)),
            // A refund of the order's own money does not refund the late capture.
            (&[(3, Failed)], None),
        ];
        for (refunds, owed) in rows {
            let refunds: Vec<LateRefundAttempt> = refunds
                .iter()
                .map(|(number, state)| LateRefundAttempt {
                    payment: payment(*number),
                    state: *state,
                    amount: eur(5_007),
                })
                .collect();
            assert_eq!(
                late_refund_owed(&late, &refunds),
                owed.map(|number| (payment(number), eur(5_007))),
                "{refunds:?}"
            );
        }
    }

    /// The outcome for (places free, on sale) = (yes, yes), (no, yes), (yes, no), (no, no).
    fn outcomes(state: OrderState, why: LateCaptureReason) -> String {
        let order = OrderInputs { state, ..order(eur(5_000)) };
        let outcome = |free, on_sale| match resolve_late(&order, why, free, on_sale) {
            LateResolution::Reissue => "reissue",
            LateResolution::Refund { reason } => reason.as_str(),
        };
        [outcome(true, true), outcome(false, true), outcome(true, false), outcome(false, false)].join(" ")
    }

    #[test]
    fn late_capture_is_reissued_or_refunded() {
        const CLOSED: &str = "reissue places_gone sale_closed sale_closed";
        const PAID: &str = "already_paid already_paid already_paid already_paid";
        const AMOUNT: &str = "amount_differs amount_differs amount_differs amount_differs";
        const CURRENCY: &str = "currency_differs currency_differs currency_differs currency_differs";
        const CANCELLED: &str = "order_cancelled order_cancelled order_cancelled order_cancelled";
        for state in OrderState::ALL {
            assert_eq!(outcomes(*state, LateCaptureReason::AlreadyPaid), PAID, "{state}");
            assert_eq!(outcomes(*state, LateCaptureReason::AmountDiffers), AMOUNT, "{state}");
            assert_eq!(outcomes(*state, LateCaptureReason::CurrencyDiffers), CURRENCY, "{state}");
        }
        for (state, expected) in [
            (OrderState::Expired, CLOSED),
            (OrderState::Cancelled, CANCELLED),
            (OrderState::Paid, PAID),
            (OrderState::PartiallyRefunded, PAID),
            (OrderState::Refunded, PAID),
        ] {
            assert_eq!(outcomes(state, LateCaptureReason::OrderClosed), expected, "{state}");
        }
    }
}
