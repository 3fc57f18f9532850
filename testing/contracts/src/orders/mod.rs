//! Contract tests of `OrderStore`: an order and its claimed places are one commit, and no place is sold twice (P1, P2, P3, P7).

mod concurrent_orders;
mod order_limits;
mod order_lists;
mod place_order;
mod unpaid_orders;

pub use concurrent_orders::*;
pub use order_limits::*;
pub use order_lists::*;
pub use place_order::*;
pub use unpaid_orders::*;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! order_store_suite {
    ($open:expr) => {
        $crate::cases! { orders, $open;
            order_is_read_back_as_written
            order_event_names_its_hold
            free_order_is_paid_at_once
            order_with_taken_places_is_refused_and_names_exactly_those
            second_order_of_a_hold_is_refused
            repeated_order_replays_the_first_answer
            concurrent_repeats_place_one_order
            order_without_places_is_an_error
            concurrent_buyers_claim_each_of_a_thousand_places_once
            refused_overlapping_baskets_claim_nothing
            other_organizations_see_nothing
            session_finds_its_orders_of_every_organization
            orders_are_listed_in_pages
            overdue_orders_are_found_oldest_first
            closing_an_unpaid_order_frees_its_places
            order_with_an_unresolved_attempt_is_not_closed
            cancellation_request_ends_the_order_as_cancelled
            concurrent_orders_do_not_exceed_a_limit
            order_over_a_limit_is_refused_and_changes_nothing
            unpaid_places_are_limited_per_address
            closed_unpaid_order_is_not_counted
            refunded_ticket_is_not_counted
        }
    };
}
