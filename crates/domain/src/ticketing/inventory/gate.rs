//! The gate's filter: which tickets have been admitted or revoked, as far as the warm tier knows (P6).
//!
//! Never: forgets one within an epoch or over a rebuild. It filters; cold decides while it is there.

use std::collections::BTreeSet;

use super::Inventory;
use super::values::GateFilter;
use crate::ids::TicketId;

#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    pub(super) admitted: BTreeSet<TicketId>,
    pub(super) revoked: BTreeSet<TicketId>,
}

impl Inventory {
    /// What is known of a ticket; a revoked one is revoked, admitted or not.
    #[must_use]
    pub fn gate_filter(&self, ticket: TicketId) -> GateFilter {
        if self.gate.revoked.contains(&ticket) {
            GateFilter::Revoked
        } else if self.gate.admitted.contains(&ticket) {
            GateFilter::Admitted
        } else {
            GateFilter::Unseen
        }
    }

    /// Remembers that a ticket was admitted.
    pub fn mark_admitted(&mut self, ticket: TicketId) {
        self.gate.admitted.insert(ticket);
    }

    /// Remembers that tickets no longer admit.
    pub fn mark_revoked(&mut self, tickets: &[TicketId]) {
        self.gate.revoked.extend(tickets);
    }
}
