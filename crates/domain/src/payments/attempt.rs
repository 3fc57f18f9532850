//! The states and transitions of a payment attempt.
//!
//! Never: a lost capture. A provider that first declines or voids and then reports a capture has taken money, so every state without a capture
//! still allows one (P2). To add a transition: one line in the list and its cell in the test.

use crate::state_machine::state_machine;

state_machine! {
    /// The state of a payment attempt.
    "payment attempt" AttemptState {
        /// Stored, not yet sent to the provider.
        Created = "created",
        /// The provider has the attempt and has not decided.
        Pending = "pending",
        /// The outcome is unknown; the places stay claimed until the provider answers (P2).
        Unknown = "unknown",
        /// The money was captured for this order.
        Captured = "captured",
        /// The money was captured after the order could no longer use it; it is refunded, or the order is reissued.
        CapturedUnmatched = "captured_late",
        /// The provider declined, or was never reached.
        Failed = "failed",
        /// Cancelled at the provider before a capture.
        Voided = "voided",
    }

    /// The transitions of a payment attempt.
    AttemptTransition {
        /// The provider has the attempt and has not decided.
        Accept = "accept",
        /// The provider did not answer.
        Lose = "lose",
        /// The money was captured, and the order can use it.
        Capture = "capture",
        /// The money was captured, and the order cannot use it.
        CaptureUnmatched = "capture_late",
        /// The provider declined, or was never reached.
        Fail = "fail",
        /// The provider cancelled the attempt for good.
        Void = "void",
        /// The unmatched capture bought the places again.
        Reissue = "reissue",
    }

    transitions {
        Created, Accept => Pending;
        Created, Lose => Unknown;
        Created, Capture => Captured;
        Created, CaptureUnmatched => CapturedUnmatched;
        Created, Fail => Failed;
        Created, Void => Voided;
        Pending, Lose => Unknown;
        Pending, Capture => Captured;
        Pending, CaptureUnmatched => CapturedUnmatched;
        Pending, Fail => Failed;
        Pending, Void => Voided;
        Unknown, Accept => Pending;
        Unknown, Capture => Captured;
        Unknown, CaptureUnmatched => CapturedUnmatched;
        Unknown, Fail => Failed;
        Unknown, Void => Voided;
        Failed, Capture => Captured;
        Failed, CaptureUnmatched => CapturedUnmatched;
        Voided, Capture => Captured;
        Voided, CaptureUnmatched => CapturedUnmatched;
        CapturedUnmatched, Reissue => Captured;
    }
}

impl AttemptState {
    /// True while the provider may still capture: the places stay claimed, and no other attempt may open.
    #[must_use]
    pub const fn is_unresolved(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Unknown)
    }

    /// True where the money was captured.
    #[must_use]
    pub const fn has_captured(self) -> bool {
        matches!(self, Self::Captured | Self::CapturedUnmatched)
    }
}

#[cfg(test)]
mod tests {
    use super::AttemptState;
    use crate::state_machine::StateMachine;
    use crate::state_machine::tests::assert_matrix;

    #[test]
    fn attempt_transitions_match_the_matrix() {
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
    fn attempt_is_never_both_unresolved_and_captured() {
        let named = |test: fn(AttemptState) -> bool| -> Vec<_> {
            AttemptState::STATES.iter().filter(|state| test(**state)).map(|state| state.as_str()).collect()
        };
        assert_eq!(named(AttemptState::is_unresolved), ["created", "pending", "unknown"]);
        assert_eq!(named(AttemptState::has_captured), ["captured", "captured_late"]);
    }
}
