//! Contract tests of the attempts of `PaymentStore`: one sender at a time, one capture that counts, no money lost (P2, P5, P7).

mod attempts;
mod captures;
mod unmatched_captures;

pub use attempts::*;
pub use captures::*;
pub use unmatched_captures::*;
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::decide::Observation;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! payment_store_suite {
    ($open:expr) => {
        $crate::cases! { payments, $open;
            capture_issues_tickets_and_books_the_sale
            decided_attempt_ignores_later_observations
            concurrent_captures_issue_once
            many_orders_are_decided_concurrently
            failed_attempt_keeps_the_order_and_its_places
            expired_order_frees_its_places_only_after_a_void
            attempt_after_a_failed_one_is_numbered_and_captured
            attempt_for_an_order_that_is_not_payable_is_refused
            repeated_request_for_another_attempt_is_replayed
            attempt_is_leased_to_one_sender_at_a_time
            second_sender_that_was_not_reached_leaves_the_attempt_unknown
            unresolved_attempts_are_taken_longest_unpolled_first
            other_organizations_cannot_decide_attempts
            unmatched_capture_is_booked_separately
            unmatched_capture_reissues_the_order
            unmatched_capture_cannot_reissue_taken_places
            two_unmatched_captures_reissue_the_order_once
        }
    };
}

pub(crate) fn captured(amount: Money) -> Observation {
    Observation::Captured { amount, provider_ref: "ref 2".into() }
}

pub(crate) fn declined() -> Observation {
    Observation::Declined { reason: "no money".into() }
}
