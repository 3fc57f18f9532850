//! An order's states and what may follow which.
//!
//! Never: a paid order back to unpaid. Cancelling is for what is not paid; what is paid is refunded (separate acts).
//! To add a transition: one line in the list and its cell in the test.

use std::time::Duration;

use crate::machine::machine;
use crate::refusal::Refusal;
use crate::ticketing::inventory::refusals::hold_expired;
use crate::time::Timestamp;

machine! {
    /// Where an order stands.
    "order" OrderState {
        /// Its places are claimed until `pay_by`.
        AwaitingPayment = "awaiting_payment",
        /// Paid; its tickets exist.
        Paid = "paid",
        /// Given up by buyer or organizer; its places are free.
        Cancelled = "cancelled",
        /// Not paid in time; its places are free.
        Expired = "expired",
        /// Some of the money went back.
        PartiallyRefunded = "partially_refunded",
        /// All of the money went back; a ticket may still be taken back afterwards.
        Refunded = "refunded",
    }

    /// What may happen to an order.
    OrderEvent {
        /// The money is there (or nothing is owed): places sold, tickets issued.
        Pay = "pay",
        /// Buyer or organizer gave it up.
        Cancel = "cancel",
        /// Time ran out, and no attempt could still be captured.
        Expire = "expire",
        /// Money that came too late bought the places anew.
        Reissue = "reissue",
        /// Some of the money went back.
        RefundPart = "refund_part",
        /// The last of the money went back.
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
        // A ticket taken back after all of the money went.
        Refunded, RefundRest => Refunded;
    }
}

/// A buyer who is to pay has at least so long for it: a charge that can hardly be sent in time is not begun.
pub const LEAST_TO_PAY: Duration = Duration::from_secs(5);

/// Whether there is time to pay until `pay_by`. A hold that is pinned may be over already, with nothing left of its extension.
///
/// # Errors
/// `hold_expired`
pub fn check_time_to_pay(pay_by: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if pay_by.since(now) < LEAST_TO_PAY { Err(hold_expired()) } else { Ok(()) }
}

impl OrderState {
    /// True once it was paid, whatever went back since.
    #[must_use]
    pub const fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::tests::assert_matrix;

    #[test]
    fn there_must_be_time_to_pay() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let (least, moment) = (now.plus(LEAST_TO_PAY), Duration::from_micros(1));
        for (pay_by, enough) in [
            (least.plus(moment), true),
            (least, true),
            (least.minus(moment), false),
            (now, false),
            (now.minus(moment), false),
        ] {
            assert_eq!(check_time_to_pay(pay_by, now).is_ok(), enough, "{pay_by}");
        }
    }

    #[test]
    fn what_follows_what() {
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
