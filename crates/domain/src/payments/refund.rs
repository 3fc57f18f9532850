//! Defines the states and transitions of a refund.
//!
//! Never: a refund that is dropped because a provider was silent or refused; it stays open until it is done or a person has looked at it (P5). To add a
//! transition: one line in the list and its cell in the test. The reasons of automatic refunds are in `unmatched_capture`.

use crate::state_machine::state_machine;

state_machine! {
    /// The state of a refund.
    "refund" RefundState {
        /// Stored; the request is being sent to the provider.
        Pending = "pending",
        /// The provider's answer is not known.
        Unknown = "unknown",
        /// The money is on its way to the buyer.
        Done = "done",
        /// The provider refused; a person must look.
        Failed = "failed",
    }

    /// The transitions of a refund.
    RefundTransition {
        /// The provider did not answer.
        Lose = "lose",
        /// The request is sent to the provider again, with the same key.
        Retry = "retry",
        /// The provider has sent the money.
        Complete = "complete",
        /// The provider refused.
        Fail = "fail",
    }

    transitions {
        Pending, Lose => Unknown;
        Pending, Complete => Done;
        Pending, Fail => Failed;
        Unknown, Retry => Pending;
        Unknown, Complete => Done;
        Unknown, Fail => Failed;
        Failed, Retry => Pending;
        // A provider may send the money after it had refused.
        Failed, Complete => Done;
    }
}

#[cfg(test)]
mod tests {
    use super::RefundState;
    use crate::state_machine::tests::assert_matrix;

    #[test]
    fn refund_transitions_match_the_matrix() {
        assert_matrix::<RefundState>(
            "pending: lose→unknown complete→done fail→failed
             unknown: retry→pending complete→done fail→failed
             done:
             failed: retry→pending complete→done",
        );
    }
}
