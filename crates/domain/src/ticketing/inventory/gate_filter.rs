//! Filters tickets at the gate by the admissions and revocations that the warm tier knows (P6).
//!
//! Never: forgets a ticket within an epoch or over a rebuild. Cold decides while it is available; the filter decides alone only in its place.

use std::collections::BTreeSet;

use super::Inventory;
use crate::ids::TicketId;

/// The state of a ticket in the gate filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFilter {
    /// Not seen before: cold decides.
    Unseen,
    /// Has been admitted; cold knows where and when.
    Admitted,
    /// No longer admits.
    Revoked,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SeenTickets {
    pub(super) admitted: BTreeSet<TicketId>,
    pub(super) revoked: BTreeSet<TicketId>,
}

impl Inventory {
    /// The state of a ticket; `Revoked` also where the ticket was admitted before.
    #[must_use]
    pub fn gate_filter(&self, ticket: TicketId) -> GateFilter {
        if self.seen_tickets.revoked.contains(&ticket) {
            GateFilter::Revoked
        } else if self.seen_tickets.admitted.contains(&ticket) {
            GateFilter::Admitted
        } else {
            GateFilter::Unseen
        }
    }

    /// Remembers that a ticket was admitted.
    pub fn mark_admitted(&mut self, ticket: TicketId) {
        self.seen_tickets.admitted.insert(ticket);
    }

    /// Remembers that tickets no longer admit.
    pub fn mark_revoked(&mut self, tickets: &[TicketId]) {
        self.seen_tickets.revoked.extend(tickets);
    }
}
