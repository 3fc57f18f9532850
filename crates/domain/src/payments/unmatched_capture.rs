//! Resolves an unmatched capture: the ended order is reissued, or the money refunded.
//!
//! Never: keeps the money without tickets, or decides twice (P2). To add a reason: a line in [`UnmatchedRefundReason`] and its rows in the table.

use super::decide::{OrderInputs, UnmatchedReason};
use super::refund::RefundState;
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::money::Money;
use crate::text_enum::text_enum;

text_enum! {
    /// Why an unmatched capture is refunded; the refund stores the text.
    "reason of the refund of an unmatched capture" UnmatchedRefundReason {
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

/// The resolution of an unmatched capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnmatchedResolution {
    /// The order buys the same places again, and its tickets are issued.
    Reissue,
    /// The money is refunded without a request.
    Refund {
        /// Stored with the refund.
        reason: UnmatchedRefundReason,
    },
}

/// Decides on an unmatched capture, given whether all of the order's places are free and the event is on sale.
#[must_use]
pub fn resolve_unmatched(
    order: &OrderInputs,
    why: UnmatchedReason,
    places_free: bool,
    on_sale: bool,
) -> UnmatchedResolution {
    let refund = |reason| UnmatchedResolution::Refund { reason };
    match (why, order.state) {
        (UnmatchedReason::CurrencyDiffers, _) => refund(UnmatchedRefundReason::CurrencyDiffers),
        (UnmatchedReason::AmountDiffers, _) => refund(UnmatchedRefundReason::AmountDiffers),
        (UnmatchedReason::AlreadyPaid, _) => refund(UnmatchedRefundReason::AlreadyPaid),
        (UnmatchedReason::OrderClosed, state) if state.was_paid() => refund(UnmatchedRefundReason::AlreadyPaid),
        (UnmatchedReason::OrderClosed, OrderState::Cancelled) => refund(UnmatchedRefundReason::OrderCancelled),
        (UnmatchedReason::OrderClosed, _) if !on_sale => refund(UnmatchedRefundReason::SaleClosed),
        (UnmatchedReason::OrderClosed, _) if !places_free => refund(UnmatchedRefundReason::PlacesGone),
        (UnmatchedReason::OrderClosed, _) => UnmatchedResolution::Reissue,
    }
}

/// A refund of an unmatched capture, as input of [`unmatched_refund_owed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnmatchedRefund {
    /// The attempt whose capture is refunded.
    pub payment: PaymentId,
    /// The refund's state.
    pub state: RefundState,
    /// The refunded amount.
    pub amount: Money,
}

/// Finds an unmatched capture that must be refunded again: every refund so far failed at the provider. The money was never the order's, so all of it is
/// refunded. While an unmatched capture has no refund, its job may still reissue the order, so nothing is owed yet.
#[must_use]
pub fn unmatched_refund_owed(unmatched: &[PaymentId], refunds: &[UnmatchedRefund]) -> Option<(PaymentId, Money)> {
    unmatched.iter().find_map(|payment| {
        let mut refunds = refunds.iter().filter(|refund| refund.payment == *payment);
        let first = refunds.next()?;
        let failed = |refund: &UnmatchedRefund| refund.state == RefundState::Failed;
        (failed(first) && refunds.all(failed)).then_some((*payment, first.amount))
    })
}

#[cfg(test)]
mod tests {
    use super::{UnmatchedRefund, UnmatchedResolution, resolve_unmatched, unmatched_refund_owed};
    use crate::checkout::order::OrderState;
    use crate::payments::attempt::AttemptState;
    use crate::payments::decide::{OrderInputs, UnmatchedReason};
    use crate::payments::fixtures::{attempt, eur, order};
    use crate::payments::refund::RefundState::{self, Done, Failed, Pending, Unknown};

    /// The refunds of unmatched captures: number of the attempt, and state of the refund.
    type Refunds = &'static [(u128, RefundState)];

    #[test]
    fn unmatched_capture_is_refunded_again_only_if_all_its_refunds_failed() {
        let payment = |number| attempt(number, AttemptState::CapturedUnmatched).id;
        let unmatched = [payment(1), payment(2)];
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
            // A refund of the order's own money does not refund the unmatched capture.
            (&[(3, Failed)], None),
        ];
        for (refunds, owed) in rows {
            let refunds: Vec<UnmatchedRefund> = refunds
                .iter()
                .map(|(number, state)| UnmatchedRefund { payment: payment(*number), state: *state, amount: eur(5_007) })
                .collect();
            assert_eq!(
                unmatched_refund_owed(&unmatched, &refunds),
                owed.map(|number| (payment(number), eur(5_007))),
                "{refunds:?}"
            );
        }
    }

    /// The outcome for (places free, on sale) = (yes, yes), (no, yes), (yes, no), (no, no).
    fn outcomes(state: OrderState, why: UnmatchedReason) -> String {
        let order = OrderInputs { state, ..order(eur(5_000)) };
        let outcome = |free, on_sale| match resolve_unmatched(&order, why, free, on_sale) {
            UnmatchedResolution::Reissue => "reissue",
            UnmatchedResolution::Refund { reason } => reason.as_str(),
        };
        [outcome(true, true), outcome(false, true), outcome(true, false), outcome(false, false)].join(" ")
    }

    #[test]
    fn unmatched_capture_is_reissued_or_refunded() {
        const CLOSED: &str = "reissue places_gone sale_closed sale_closed";
        const PAID: &str = "already_paid already_paid already_paid already_paid";
        const AMOUNT: &str = "amount_differs amount_differs amount_differs amount_differs";
        const CURRENCY: &str = "currency_differs currency_differs currency_differs currency_differs";
        const CANCELLED: &str = "order_cancelled order_cancelled order_cancelled order_cancelled";
        for state in OrderState::ALL {
            assert_eq!(outcomes(*state, UnmatchedReason::AlreadyPaid), PAID, "{state}");
            assert_eq!(outcomes(*state, UnmatchedReason::AmountDiffers), AMOUNT, "{state}");
            assert_eq!(outcomes(*state, UnmatchedReason::CurrencyDiffers), CURRENCY, "{state}");
        }
        for (state, expected) in [
            (OrderState::Expired, CLOSED),
            (OrderState::Cancelled, CANCELLED),
            (OrderState::Paid, PAID),
            (OrderState::PartiallyRefunded, PAID),
            (OrderState::Refunded, PAID),
        ] {
            assert_eq!(outcomes(state, UnmatchedReason::OrderClosed), expected, "{state}");
        }
    }
}
