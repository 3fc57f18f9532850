//! How each method ends: THE table of this suite.
//!
//! | end | order | attempt | place | ledger, and the provider's own books |
//! |---|---|---|---|---|
//! | `Ticket` | `paid` | `captured` | sold, one valid ticket | a sale: the total is at the provider |
//! | `TicketLate` | `paid` | `captured` (after `captured_late`) | sold anew, one valid ticket | a late capture and its sale: the total is at the provider |
//! | `NoCharge` | `expired` | `failed` or `voided` | free | nothing |
//! | `GivenBack` | `expired` | `captured_late`, refund `done` | whoever came first | a late capture and its refund: nothing is left there |
//! | `Refunded` | `refunded` | `captured`, refund `done` | free, ticket `revoked` | a sale and its refund: nothing is left there |
//! | `NoOrder` | none | none | free | nothing |
//!
//! To add a method: its row here.

use super::scenario::{Kill, Step, Victim};

/// How a purchase can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Paid in time.
    Ticket,
    /// Paid too late, and the places were still free.
    TicketLate,
    /// Nobody paid anything.
    NoCharge,
    /// Paid too late, and the money went back.
    GivenBack,
    /// Paid, and the organizer gave the money back.
    Refunded,
    /// The hold was lost before there was an order; holds live in memory only.
    NoOrder,
}

/// A purchase of the table.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The sandbox method.
    pub method: &'static str,
    /// True: somebody else takes the place as soon as it is free again.
    pub rival: bool,
    /// How it ends undisturbed.
    pub end: End,
}

const fn row(method: &'static str, end: End) -> Row {
    Row { name: method, method, rival: false, end }
}

/// The table.
pub const ROWS: &[Row] = &[
    row("ok", End::Ticket),
    row("declined", End::NoCharge),
    row("slow", End::Ticket),
    row("timeout", End::Ticket),
    row("late", End::TicketLate),
    Row { name: "late, place gone", method: "late", rival: true, end: End::GivenBack },
    row("twice", End::Ticket),
    row("lost", End::Ticket),
    row("down", End::NoCharge),
];

/// The ends that the table allows for a row where `kill` happened.
///
/// A killed server loses holds; what it acknowledged comes to the same end. A killed provider may never have got the charge; then nobody pays.
pub fn allowed(end: End, kill: Option<Kill>) -> Vec<End> {
    let mut ends = vec![end];
    match kill {
        Some(Kill { victim: Victim::Server, step }) => {
            if matches!(step, Step::Held | Step::Sent) {
                ends.push(End::NoOrder);
            }
        }
        Some(Kill { victim: Victim::Provider, .. }) => ends.push(End::NoCharge),
        None => {}
    }
    ends
}
