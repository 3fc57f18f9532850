//! Contract tests of the refunds of `PaymentStore`: never more than was paid, tickets before places, journal together with the money (P5, P6, P7).

mod open_refund;
mod provider_outcomes;
mod refused_refunds;
mod unmatched_capture_refunds;

pub use open_refund::*;
pub use provider_outcomes::*;
pub use refused_refunds::*;
pub use unmatched_capture_refunds::*;
use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::Created;
use voelgoed_app::payments::ports::{NewRefund, RefundObservation};
use voelgoed_domain::ids::RefundId;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Refusal;

use crate::sales_fixture::{SalesFixture, SalesTier};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! refund_store_suite {
    ($open:expr) => {
        $crate::cases! { refunds, $open;
            ticket_refund_revokes_then_frees_then_pays
            free_tickets_are_revoked
            amount_refund_keeps_the_tickets
            refund_of_the_full_amount_revokes_the_tickets
            refund_beyond_the_paid_amount_is_refused
            used_ticket_is_refunded_only_when_forced
            refund_of_unknown_or_unpaid_is_refused
            repeated_refund_request_is_replayed
            refund_state_follows_the_provider
            failed_refund_releases_its_amount
            refused_refund_is_retried_or_settled_by_hand
            concurrent_settle_and_retry_have_one_winner
            refused_refund_is_not_settled_after_its_money_was_refunded
            unmatched_capture_is_refunded_whole_and_once
            failed_refund_of_an_unmatched_capture_can_be_repeated
            concurrent_refunds_pay_once
            other_organizations_cannot_refund
        }
    };
}

async fn open_refund<S: SalesTier>(fixture: &SalesFixture<S>, refund: &NewRefund) -> Result<Created<()>, Refusal> {
    fixture.store().open_refund(fixture.organization, refund.clone(), None).await.unwrap()
}

async fn record_refund<S: SalesTier>(
    fixture: &SalesFixture<S>,
    refund: RefundId,
    seen: RefundObservation,
) -> RefundState {
    let now = fixture.environment().now();
    fixture.store().record_refund(fixture.organization, refund, seen, now).await.unwrap()
}

fn refused_by_provider() -> RefundObservation {
    RefundObservation::Failed { reason: "it was refunded already".into() }
}

async fn finish_revocation<S: SalesTier>(fixture: &SalesFixture<S>, refund: RefundId) {
    fixture.store().finish_revocation(fixture.organization, refund, fixture.environment().now()).await.unwrap();
}

fn paid_back() -> RefundObservation {
    RefundObservation::Done { provider_ref: "back 1".into() }
}
