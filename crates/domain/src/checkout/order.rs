//! The states and transitions of an order.
//!
//! Never: a paid order becomes unpaid. An unpaid order is cancelled; a paid one is refunded, which is a separate command.
//! To add a transition: one line in the list and its cell in the test.

use std::time::Duration;

use crate::refusal::Refusal;
use crate::state_machine::state_machine;
use crate::ticketing::inventory::refusals::hold_expired;
use crate::time::Timestamp;

state_machine! {
    /// The state of an order.
    "order" OrderState {
        /// Its places are claimed until `pay_by`.
        AwaitingPayment = "awaiting_payment",
        /// Paid; its tickets exist.
        Paid = "paid",
        /// Cancelled by buyer or organizer; its places are free.
        Cancelled = "cancelled",
        /// Not paid in time; its places are free.
        Expired = "expired",
        /// Some of the money was refunded.
        PartiallyRefunded = "partially_refunded",
        /// All of the money was refunded; tickets may still be revoked.
        Refunded = "refunded",
    }

    /// The transitions of an order.
    OrderTransition {
        /// The order is paid, or its total is zero: places are sold, tickets issued.
        Pay = "pay",
        /// Buyer or organizer cancels the unpaid order.
        Cancel = "cancel",
        /// The time to pay is over, and no attempt may still be captured.
        Expire = "expire",
        /// An unmatched capture buys the places again.
        Reissue = "reissue",
        /// Some of the money is refunded.
        RefundPart = "refund_part",
        /// The rest of the money is refunded.
        RefundRest = "refund_rest",
    }

    transitions {
        AwaitingPayment, Pay => Paid;
        AwaitingPayment, Cancel => Cancelled;
        AwaitingPayment, Expire => Expired;
        Expired, Reissue => Paid;
        Paid, RefundPart => PartiallyRefunded;
        Paid, RefundRest => Refunded;
        PartiallyRefunded, RefundPart => PartiallyRefunded;
        PartiallyRefunded, RefundRest => Refunded;
        // A ticket may be revoked after all of the money was refunded.
        Refunded, RefundRest => Refunded;
    }
}

/// The least time that a new order must leave for paying; with less a charge could hardly be sent in time.
pub const TIME_TO_PAY_MIN: Duration = Duration::from_secs(5);

/// Checks that there is time to pay until `pay_by`. A pinned hold may be past its end, without any time left.
///
/// # Errors
/// `hold_expired`
pub fn check_time_to_pay(pay_by: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if pay_by.since(now) < TIME_TO_PAY_MIN { Err(hold_expired()) } else { Ok(()) }
}

impl OrderState {
    /// True where the order was paid, even if all of it was refunded since.
    #[must_use]
    pub const fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_machine::tests::assert_matrix;

    #[test]
    fn order_is_refused_without_time_to_pay() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let (earliest, moment) = (now.plus(TIME_TO_PAY_MIN), Duration::from_micros(1));
        for (pay_by, enough) in [
            (earliest.plus(moment), true),
            (earliest, true),
            (earliest.minus(moment), false),
            (now, false),
            (now.minus(moment), false),
        ] {
            assert_eq!(check_time_to_pay(pay_by, now).is_ok(), enough, "{pay_by}");
        }
    }

    #[test]
    fn order_transitions_match_the_matrix() {
        assert_matrix::<OrderState>(
            "awaiting_payment: pay→paid cancel→cancelled expire→expired
             paid: refund_part→partially_refunded refund_rest→refunded
             cancelled:
             expired: reissue→paid
             partially_refunded: refund_part→partially_refunded refund_rest→refunded
             refunded: refund_rest→refunded",
        );
    }
}
