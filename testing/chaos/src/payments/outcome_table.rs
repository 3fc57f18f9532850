//! Lists the outcome of every payment method, undisturbed and with a kill.
//!
//! | outcome | order | attempt | place | ledger, and the provider's charges |
//! |---|---|---|---|---|
//! | `Ticket` | `paid` | `captured` | sold, one valid ticket | a sale: the total is at the provider |
//! | `TicketLate` | `paid` | `captured` (after `captured_late`) | sold again, one valid ticket | an unmatched capture and its sale: the total is at the provider |
//! | `NoCharge` | `expired` | `failed` or `voided` | free | nothing |
//! | `LateRefund` | `expired` | `captured_late`, refund `done` | taken by another buyer | an unmatched capture and its refund: nothing is left there |
//! | `Refunded` | `refunded` | `captured`, refund `done` | free, ticket `revoked` | a sale and its refund: nothing is left there |
//! | `NoOrder` | none | none | free | nothing |
//!
//! To add a method: its row here.

use super::kill::{Kill, KillStep, KillVictim};

/// How a purchase ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseOutcome {
    /// Paid in time.
    Ticket,
    /// Paid after expiry, while the place was still free.
    TicketLate,
    /// Not paid.
    NoCharge,
    /// Paid after expiry, and refunded.
    LateRefund,
    /// Paid, and refunded by the organizer.
    Refunded,
    /// The hold was lost before an order was placed; holds are in memory only.
    NoOrder,
}

/// A row of the table.
#[derive(Debug)]
pub struct PaymentRow {
    /// Names the row in messages.
    pub name: &'static str,
    /// The sandbox method.
    pub method: &'static str,
    /// True where another buyer takes the place as soon as it is free again.
    pub rival: bool,
    /// The outcome without a kill.
    pub outcome: PurchaseOutcome,
}

const fn row(method: &'static str, outcome: PurchaseOutcome) -> PaymentRow {
    PaymentRow { name: method, method, rival: false, outcome }
}

/// The table.
pub const ROWS: &[PaymentRow] = &[
    row("ok", PurchaseOutcome::Ticket),
    row("declined", PurchaseOutcome::NoCharge),
    row("slow", PurchaseOutcome::Ticket),
    row("timeout", PurchaseOutcome::Ticket),
    row("late", PurchaseOutcome::TicketLate),
    PaymentRow { name: "late, place gone", method: "late", rival: true, outcome: PurchaseOutcome::LateRefund },
    row("twice", PurchaseOutcome::Ticket),
    row("lost", PurchaseOutcome::Ticket),
    row("down", PurchaseOutcome::NoCharge),
];

/// The outcomes that are allowed for a row where `kill` happened.
///
/// A killed server loses holds; an acknowledged order has the same outcome. A killed provider may not have received the charge; then nothing is paid.
pub fn allowed(outcome: PurchaseOutcome, kill: Option<Kill>) -> Vec<PurchaseOutcome> {
    let mut outcomes = vec![outcome];
    match kill {
        Some(Kill { victim: KillVictim::Server, step }) => {
            if matches!(step, KillStep::Held | KillStep::Sent) {
                outcomes.push(PurchaseOutcome::NoOrder);
            }
        }
        Some(Kill { victim: KillVictim::Provider, .. }) => outcomes.push(PurchaseOutcome::NoCharge),
        None => {}
    }
    outcomes
}
