//! Cases of observations of a refund: its state follows the provider, and a failure releases the amount.

use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Code;

use super::{open_refund, paid_back, record_refund};
use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

/// The observations come in an order that meets every state.
pub async fn refund_state_follows_the_provider<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, _) = fixture.paid_order(&[1]).await;
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &[]);
    open_refund(&fixture, &refund).await.unwrap();
    let failed = || RefundObservation::Failed { reason: "account closed".into() };
    for (seen, expected) in [
        (RefundObservation::Pending, RefundState::Pending),
        (RefundObservation::NotReached, RefundState::Pending),
        (RefundObservation::NoAnswer, RefundState::Unknown),
        (RefundObservation::NoAnswer, RefundState::Unknown),
        (RefundObservation::NotReached, RefundState::Unknown),
        (RefundObservation::Pending, RefundState::Pending),
        (failed(), RefundState::Failed),
        (RefundObservation::NoAnswer, RefundState::Failed),
        (RefundObservation::Pending, RefundState::Failed),
        (paid_back(), RefundState::Done),
        (failed(), RefundState::Done),
        (RefundObservation::NoAnswer, RefundState::Done),
    ] {
        assert_eq!(record_refund(&fixture, refund.id, seen.clone()).await, expected, "{seen:?}");
        assert_eq!(fixture.read_order(order).await.refunds[0].state, expected);
        let paid = if expected == RefundState::Done { OrderState::Refunded } else { OrderState::Paid };
        assert_eq!(fixture.states(order).await.0, paid);
    }
    assert!(fixture.balances().await.is_empty());
}

/// Another refund can return the amount.
pub async fn failed_refund_releases_its_amount<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, _) = fixture.paid_order(&[1]).await;
    let first = fixture.new_refund(order, payment, PAID_PER_PLACE, &[]);
    open_refund(&fixture, &first).await.unwrap();
    assert_code(open_refund(&fixture, &fixture.new_refund(order, payment, 1, &[])).await, Code::RefundTooLarge);
    record_refund(&fixture, first.id, RefundObservation::Failed { reason: "no".into() }).await;
    open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE, &[])).await.unwrap();
}
