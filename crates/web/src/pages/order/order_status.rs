//! Words the state of an order for its buyer: heading, detail, and whether the page will change or payment may be tried again.
//!
//! Never: a promise that the state does not carry. To add a state: an arm in [`order_status`].

use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::Degradation;

use crate::pages::formatting::{Moment, money};

/// The news of the order's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderStatusText {
    /// A few words.
    pub heading: String,
    /// The sentence for the buyer.
    pub detail: String,
    /// The end of a CSS class: `wait`, `good`, `bad` or `over`.
    pub tone: &'static str,
    /// True while the state will change without the buyer.
    pub is_pending: bool,
    /// True if the buyer may try another payment.
    pub can_pay: bool,
}

/// The status of an order at `now`; `degradation` is that of payments.
pub fn order_status(
    detail: &OrderDetail,
    timezone: &str,
    now: Timestamp,
    degradation: Option<Degradation>,
) -> OrderStatusText {
    let status = |heading: &str, detail: String, tone| OrderStatusText {
        heading: heading.to_owned(),
        detail,
        tone,
        is_pending: false,
        can_pay: false,
    };
    let order = &detail.order;
    match order.state {
        OrderState::AwaitingPayment => awaiting_payment(detail, timezone, now, degradation),
        OrderState::Paid => OrderStatusText { is_pending: false, ..status("You are going!", paid(detail), "good") },
        OrderState::Expired if was_captured_unmatched(detail) => {
            status("Your payment came too late", "The time to pay was over and the places had gone. We pay everything back; there is nothing that you need to do.".to_owned(), "bad")
        }
        OrderState::Expired => status("The time to pay ran out", "Your places were let go. Nothing was charged.".to_owned(), "over"),
        OrderState::Cancelled => status("This order was cancelled", "Its places were let go. Nothing was charged.".to_owned(), "over"),
        OrderState::PartiallyRefunded => status("Part of this order was paid back", "Tickets that are still valid are below.".to_owned(), "good"),
        OrderState::Refunded => status("This order was paid back", paid_back(detail), "over"),
    }
}

fn paid(detail: &OrderDetail) -> String {
    let many = detail.lines.len() != 1;
    let tickets = if many { "Here are your tickets. Show the codes" } else { "Here is your ticket. Show the code" };
    format!(
        "{tickets} at the gate, on your phone or on paper. Keep this page's address: a person who has it has the tickets."
    )
}

fn paid_back(detail: &OrderDetail) -> String {
    let kept = detail.tickets.iter().any(|ticket| ticket.state == TicketState::Valid);
    let then = if kept { " Your tickets below stay valid." } else { "" };
    format!("{} went back the way it came.{then}", money(detail.order.total))
}

fn was_captured_unmatched(detail: &OrderDetail) -> bool {
    detail.attempts.iter().any(|attempt| attempt.state == AttemptState::CapturedUnmatched)
}

fn awaiting_payment(
    detail: &OrderDetail,
    timezone: &str,
    now: Timestamp,
    degradation: Option<Degradation>,
) -> OrderStatusText {
    let pay_by = detail.order.pay_by;
    let kept = format!("Your places are kept until {}.", Moment::new(pay_by, timezone).clock());
    let last = detail.attempts.last();
    let (heading, text, tone) = match last.map(|attempt| attempt.state) {
        _ if now > pay_by => {
            let text = "The time to pay is over. We are asking the provider for the last time, so that you never pay for nothing.";
            ("Checking your payment", text.to_owned(), "wait")
        }
        Some(AttemptState::Created | AttemptState::Unknown) if degradation == Some(Degradation::PayLater) => {
            let text =
                format!("{kept} Your payment goes through as soon as the provider answers again. You never pay twice.");
            ("Payments are slow at the moment", text, "wait")
        }
        Some(AttemptState::Unknown) => {
            let text = format!(
                "The provider has not answered yet. {kept} They stay yours until we know, and you never pay twice."
            );
            ("Still waiting for the provider", text, "wait")
        }
        Some(AttemptState::Failed | AttemptState::Voided) if degradation == Some(Degradation::PayLater) => {
            let text = format!("Nothing was charged. {kept} Try again in a few minutes; you never pay twice.");
            ("Payments are slow at the moment", text, "wait")
        }
        // The provider's reason is for the organizer.
        Some(AttemptState::Failed | AttemptState::Voided) => {
            let text = format!("Nothing was charged. {kept} Choose a method and try again.");
            ("The payment did not go through", text, "bad")
        }
        Some(AttemptState::CapturedUnmatched) => {
            let text = format!(
                "Another amount than yours was taken. It goes back whole, without your doing. {kept} Choose a method and try again."
            );
            ("The payment did not fit", text, "bad")
        }
        _ => ("Waiting for your payment", format!("{kept} This page changes by itself."), "wait"),
    };
    let can_pay = now <= pay_by && last.is_none_or(|attempt| !attempt.state.is_unresolved());
    OrderStatusText { heading: heading.to_owned(), detail: text, tone, is_pending: true, can_pay }
}

/// Changes with the page's content; `order.js` computes the same from the order's stream.
pub fn fingerprint(detail: &OrderDetail) -> String {
    let join = |states: Vec<&str>| states.join(",");
    [
        detail.order.state.as_str().to_owned(),
        join(detail.attempts.iter().map(|attempt| attempt.state.as_str()).collect()),
        join(detail.refunds.iter().map(|refund| refund.state.as_str()).collect()),
        join(detail.tickets.iter().map(|ticket| TicketState::as_str(ticket.state)).collect()),
    ]
    .join("|")
}
