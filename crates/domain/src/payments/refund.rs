//! A refund's states and what may follow which.
//!
//! Never: a refund that is forgotten because a provider was silent or said no; both stay open until done or looked at by a person (P5).
//! To add a transition: one line in the list and its cell in the test.

use crate::machine::machine;

machine! {
    /// Where a refund stands.
    "refund" RefundState {
        /// Written down; the provider is being asked.
        Pending = "pending",
        /// The provider's answer is not known.
        Unknown = "unknown",
        /// The money is on its way to the buyer.
        Done = "done",
        /// The provider refused; a person must look.
        Failed = "failed",
    }

    /// What may happen to a refund.
    RefundEvent {
        /// The provider was asked and did not answer.
        Lose = "lose",
        /// The provider is asked again, under the same key.
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
        // A provider that changed its mind has sent the money all the same.
        Failed, Complete => Done;
    }
}

#[cfg(test)]
mod tests {
    use super::RefundState;
    use crate::machine::tests::assert_matrix;

    #[test]
    fn what_follows_what() {
        assert_matrix::<RefundState>(
            "pending: lose→unknown complete→done fail→failed
             unknown: retry→pending complete→done fail→failed
             done:
             failed: retry→pending complete→done",
        );
    }
}
