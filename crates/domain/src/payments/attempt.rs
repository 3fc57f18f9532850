//! A payment attempt's states and what may follow which.
//!
//! Never: forgetting money. A provider that first refuses or voids and then reports a capture has taken money, so capture stays possible
//! from every state that has not captured (P2). To add a transition: one line in the list and its cell in the test.

use crate::machine::machine;

machine! {
    /// Where a payment attempt stands.
    "payment attempt" AttemptState {
        /// Written down, not yet sent.
        Created = "created",
        /// The provider has it and has not decided.
        Pending = "pending",
        /// Nobody knows; its places stay frozen until the provider has been asked (P2).
        Unknown = "unknown",
        /// The money was taken for this order.
        Captured = "captured",
        /// The money was taken when the order could no longer use it; it goes back, or buys the places anew.
        CapturedLate = "captured_late",
        /// The provider refused, or was never reached.
        Failed = "failed",
        /// Cancelled at the provider before any money was taken.
        Voided = "voided",
    }

    /// What may happen to a payment attempt.
    AttemptEvent {
        /// The provider has it and has not decided.
        Accept = "accept",
        /// The provider was asked and did not answer.
        Lose = "lose",
        /// The money was taken, and the order can use it.
        Capture = "capture",
        /// The money was taken, and the order cannot use it.
        CaptureLate = "capture_late",
        /// The provider refused, or was never reached.
        Fail = "fail",
        /// Cancelled at the provider, for good.
        Void = "void",
        /// Late money bought the places anew.
        Reissue = "reissue",
    }

    transitions {
        Created, Accept => Pending;
        Created, Lose => Unknown;
        Created, Capture => Captured;
        Created, CaptureLate => CapturedLate;
        Created, Fail => Failed;
        Created, Void => Voided;
        Pending, Lose => Unknown;
        Pending, Capture => Captured;
        Pending, CaptureLate => CapturedLate;
        Pending, Fail => Failed;
        Pending, Void => Voided;
        Unknown, Accept => Pending;
        Unknown, Capture => Captured;
        Unknown, CaptureLate => CapturedLate;
        Unknown, Fail => Failed;
        Unknown, Void => Voided;
        Failed, Capture => Captured;
        Failed, CaptureLate => CapturedLate;
        Voided, Capture => Captured;
        Voided, CaptureLate => CapturedLate;
        CapturedLate, Reissue => Captured;
    }
}

impl AttemptState {
    /// True while the attempt may still take money without anybody misbehaving: its places stay claimed, and no other attempt may open.
    #[must_use]
    pub const fn is_unresolved(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Unknown)
    }

    /// True where the money was taken.
    #[must_use]
    pub const fn has_captured(self) -> bool {
        matches!(self, Self::Captured | Self::CapturedLate)
    }
}

#[cfg(test)]
mod tests {
    use super::AttemptState;
    use crate::machine::Machine;
    use crate::machine::tests::assert_matrix;

    #[test]
    fn what_follows_what() {
        assert_matrix::<AttemptState>(
            "created: accept→pending lose→unknown capture→captured capture_late→captured_late fail→failed void→voided
             pending: lose→unknown capture→captured capture_late→captured_late fail→failed void→voided
             unknown: accept→pending capture→captured capture_late→captured_late fail→failed void→voided
             captured:
             captured_late: reissue→captured
             failed: capture→captured capture_late→captured_late
             voided: capture→captured capture_late→captured_late",
        );
    }

    #[test]
    fn unresolved_and_captured_are_disjoint() {
        let named = |test: fn(AttemptState) -> bool| -> Vec<_> {
            AttemptState::STATES.iter().filter(|state| test(**state)).map(|state| state.as_str()).collect()
        };
        assert_eq!(named(AttemptState::is_unresolved), ["created", "pending", "unknown"]);
        assert_eq!(named(AttemptState::has_captured), ["captured", "captured_late"]);
    }
}
