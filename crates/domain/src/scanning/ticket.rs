//! The states and transitions of a ticket.
//!
//! Never: from used back to valid (P6); a re-entry is another entry, which the entry rule counts. To add a transition: one line in the list and its cell in
//! the test.

use crate::state_machine::state_machine;

state_machine! {
    /// The state of a ticket.
    "ticket" TicketState {
        /// Admits; not used yet.
        Valid = "valid",
        /// Has been admitted.
        Used = "used",
        /// Being revoked: no longer admits, and its place is not yet free.
        Revoking = "revoking",
        /// Revoked in every tier.
        Revoked = "revoked",
    }

    /// The transitions of a ticket.
    TicketTransition {
        /// The first entry.
        Admit = "admit",
        /// A further entry, where the entry rule allows it.
        Readmit = "readmit",
        /// The unused ticket is revoked.
        Revoke = "revoke",
        /// The ticket is revoked although it was used.
        RevokeForced = "revoke_forced",
        /// Every tier has the revocation; the place may be freed.
        FinishRevoking = "finish_revoking",
    }

    transitions {
        Valid, Admit => Used;
        Valid, Revoke => Revoking;
        Valid, RevokeForced => Revoking;
        Used, Readmit => Used;
        Used, RevokeForced => Revoking;
        Revoking, FinishRevoking => Revoked;
    }
}

#[cfg(test)]
mod tests {
    use super::TicketState;
    use crate::state_machine::tests::assert_matrix;

    #[test]
    fn ticket_transitions_match_the_matrix() {
        assert_matrix::<TicketState>(
            "valid: admit→used revoke→revoking revoke_forced→revoking
             used: readmit→used revoke_forced→revoking
             revoking: finish_revoking→revoked
             revoked:",
        );
    }
}
