//! A ticket's states and what may follow which.
//!
//! Never: from used back to valid, whatever the clock says (P6); re-entry is an entry of its own, counted by the entry rule.
//! To add a transition: one line in the list and its cell in the test.

use crate::machine::machine;

machine! {
    /// Where a ticket stands.
    "ticket" TicketState {
        /// Admits.
        Valid = "valid",
        /// Has admitted.
        Used = "used",
        /// Being taken back: no longer admits, its place is not yet free.
        Revoking = "revoking",
        /// Taken back.
        Revoked = "revoked",
    }

    /// What may happen to a ticket.
    TicketEvent {
        /// Its first entry.
        Admit = "admit",
        /// A further entry, where the entry rule allows it.
        Readmit = "readmit",
        /// It is taken back, unused.
        Revoke = "revoke",
        /// It is taken back although it was used.
        RevokeForced = "revoke_forced",
        /// Every tier knows that it is taken back; its place may be freed.
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
    use crate::machine::tests::assert_matrix;

    #[test]
    fn what_follows_what() {
        assert_matrix::<TicketState>(
            "valid: admit→used revoke→revoking revoke_forced→revoking
             used: readmit→used revoke_forced→revoking
             revoking: finish_revoking→revoked
             revoked:",
        );
    }
}
