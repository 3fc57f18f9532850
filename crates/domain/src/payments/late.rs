//! What becomes of money that was taken when its order could no longer use it: the places anew, or back to the buyer.
//!
//! Never: keeping it without tickets, or deciding twice (P2). To add a reason: a line in [`LateRefund`] and its rows in the table.

use super::decide::{LateWhy, OrderFacts};
use super::refund::RefundState;
use crate::checkout::order::OrderState;
use crate::ids::PaymentId;
use crate::money::Money;
use crate::named::named;

named! {
    /// Why late money goes back; the text stands in the refund.
    "reason of a late refund" LateRefund {
        /// Another attempt paid the order.
        AlreadyPaid = "already_paid",
        /// Not the amount that was asked for.
        AmountDiffers = "amount_differs",
        /// Not the currency that was asked for.
        CurrencyDiffers = "currency_differs",
        /// The order was given up.
        OrderCancelled = "order_cancelled",
        /// The event is not sold any more.
        SaleClosed = "sale_closed",
        /// Some of its places belong to others now.
        PlacesGone = "places_gone",
    }
}

/// What becomes of late money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateResolution {
    /// The same places are bought anew, and tickets issued.
    Reissue,
    /// It goes back by itself.
    Refund {
        /// Why.
        reason: LateRefund,
    },
}

/// What becomes of late money, given whether all of the order's places are free and the event is on sale.
#[must_use]
pub fn resolve_late(order: &OrderFacts, why: LateWhy, places_free: bool, on_sale: bool) -> LateResolution {
    let refund = |reason| LateResolution::Refund { reason };
    match (why, order.state) {
        (LateWhy::CurrencyDiffers, _) => refund(LateRefund::CurrencyDiffers),
        (LateWhy::AmountDiffers, _) => refund(LateRefund::AmountDiffers),
        (LateWhy::AlreadyPaid, _) => refund(LateRefund::AlreadyPaid),
        (LateWhy::OrderClosed, state) if state.was_paid() => refund(LateRefund::AlreadyPaid),
        (LateWhy::OrderClosed, OrderState::Cancelled) => refund(LateRefund::OrderCancelled),
        (LateWhy::OrderClosed, _) if !on_sale => refund(LateRefund::SaleClosed),
        (LateWhy::OrderClosed, _) if !places_free => refund(LateRefund::PlacesGone),
        (LateWhy::OrderClosed, _) => LateResolution::Reissue,
    }
}

/// A refund of late money, as the rule of a second try needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateTry {
    /// The attempt whose money should go back.
    pub payment: PaymentId,
    /// Where it stands.
    pub state: RefundState,
    /// How much.
    pub amount: Money,
}

/// Late money that is still owed: an attempt captured late whose refund failed at the provider, with no other on its way. It was never the
/// order's, so it goes back whole. While no refund was tried it is not owed yet: its job may still buy the places anew.
#[must_use]
pub fn still_owed(late: &[PaymentId], tries: &[LateTry]) -> Option<(PaymentId, Money)> {
    late.iter().find_map(|payment| {
        let mut tries = tries.iter().filter(|it| it.payment == *payment);
        let first = tries.next()?;
        let failed = |it: &LateTry| it.state == RefundState::Failed;
        (failed(first) && tries.all(failed)).then_some((*payment, first.amount))
    })
}

#[cfg(test)]
mod tests {
    use super::{LateResolution, LateTry, resolve_late, still_owed};
    use crate::checkout::order::OrderState;
    use crate::payments::attempt::AttemptState;
    use crate::payments::decide::{LateWhy, OrderFacts};
    use crate::payments::facts::{attempt, eur, order};
    use crate::payments::refund::RefundState::{self, Done, Failed, Pending, Unknown};

    /// The attempts that were given back, by number, with how that ended.
    type Tries = &'static [(u128, RefundState)];

    #[test]
    fn late_money_is_owed_until_a_refund_is_on_its_way() {
        let payment = |number| attempt(number, AttemptState::CapturedLate).id;
        let late = [payment(1), payment(2)];
        let rows: &[(Tries, Option<u128>)] = &[
            (&[], None),
            (&[(1, Pending)], None),
            (&[(1, Unknown)], None),
            (&[(1, Done)], None),
            (&[(1, Failed)], Some(1)),
            (&[(1, Failed), (1, Failed)], Some(1)),
            (&[(1, Failed), (1, Pending)], None),
            (&[(1, Failed), (1, Done)], None),
            (&[(1, Done), (2, Failed)], Some(2)),
            // A refund of the order's own money says nothing of the late money.
            (&[(3, Failed)], None),
        ];
        for (tries, owed) in rows {
            let tries: Vec<LateTry> = tries
                .iter()
                .map(|(number, state)| LateTry { payment: payment(*number), state: *state, amount: eur(5_007) })
                .collect();
            assert_eq!(still_owed(&late, &tries), owed.map(|number| (payment(number), eur(5_007))), "{tries:?}");
        }
    }

    /// The outcome for (places free, on sale) = (yes, yes), (no, yes), (yes, no), (no, no).
    fn outcomes(state: OrderState, why: LateWhy) -> String {
        let order = OrderFacts { state, ..order(eur(5_000)) };
        let outcome = |free, on_sale| match resolve_late(&order, why, free, on_sale) {
            LateResolution::Reissue => "reissue",
            LateResolution::Refund { reason } => reason.as_str(),
        };
        [outcome(true, true), outcome(false, true), outcome(true, false), outcome(false, false)].join(" ")
    }

    #[test]
    fn late_money_buys_the_places_anew_or_goes_back() {
        const CLOSED: &str = "reissue places_gone sale_closed sale_closed";
        const PAID: &str = "already_paid already_paid already_paid already_paid";
        const AMOUNT: &str = "amount_differs amount_differs amount_differs amount_differs";
        const CURRENCY: &str = "currency_differs currency_differs currency_differs currency_differs";
        const CANCELLED: &str = "order_cancelled order_cancelled order_cancelled order_cancelled";
        for state in OrderState::ALL {
            assert_eq!(outcomes(*state, LateWhy::AlreadyPaid), PAID, "{state}");
            assert_eq!(outcomes(*state, LateWhy::AmountDiffers), AMOUNT, "{state}");
            assert_eq!(outcomes(*state, LateWhy::CurrencyDiffers), CURRENCY, "{state}");
        }
        for (state, expected) in [
            (OrderState::Expired, CLOSED),
            (OrderState::Cancelled, CANCELLED),
            (OrderState::Paid, PAID),
            (OrderState::PartiallyRefunded, PAID),
            (OrderState::Refunded, PAID),
        ] {
            assert_eq!(outcomes(state, LateWhy::OrderClosed), expected, "{state}");
        }
    }
}
