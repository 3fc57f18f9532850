//! Cases of refunds of unmatched captures: whole and once (P5).

use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::decide::PaymentDecision;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Code;

use super::{open_refund, paid_back, record_refund};
use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

/// The order may have any state, and keeps it.
pub async fn unmatched_capture_is_refunded_whole_and_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    let late = fixture.capture(payment, PAID_PER_PLACE + 7).await;
    assert!(matches!(late, PaymentDecision::CapturedUnmatched { .. }));
    for amount in [PAID_PER_PLACE + 6, PAID_PER_PLACE + 8, 0] {
        assert_code(
            open_refund(&fixture, &fixture.new_refund(order, payment, amount, &[])).await,
            Code::RefundTooLarge,
        );
    }
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &[]);
    open_refund(&fixture, &refund).await.unwrap();
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &[])).await,
        Code::RefundTooLarge,
    );
    record_refund(&fixture, refund.id, paid_back()).await;
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &[])).await,
        Code::RefundTooLarge,
    );
    assert!(fixture.balances().await.is_empty());
    assert_eq!(fixture.states(order).await.0, OrderState::AwaitingPayment);
    // The order can still be paid.
    let second = fixture.new_attempt(PAID_PER_PLACE);
    fixture.store().open_attempt(fixture.organization, order, second.clone(), None).await.unwrap().unwrap();
    assert_eq!(fixture.capture(second.id, PAID_PER_PLACE).await, PaymentDecision::Issue);
    let (_, _, tickets) = fixture.paid_order(&[2]).await;
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &tickets)).await,
        Code::WrongState,
    );
}

/// After a refund that the provider refused, another one may pay the same money, in full, and then no more.
pub async fn failed_refund_of_an_unmatched_capture_can_be_repeated<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    assert!(matches!(fixture.capture(payment, PAID_PER_PLACE + 7).await, PaymentDecision::CapturedUnmatched { .. }));
    let failed = fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &[]);
    open_refund(&fixture, &failed).await.unwrap();
    let refused = RefundObservation::Failed { reason: "the account is closed".into() };
    assert_eq!(record_refund(&fixture, failed.id, refused).await, RefundState::Failed);
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE, &[])).await,
        Code::RefundTooLarge,
    );
    let again = fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &[]);
    open_refund(&fixture, &again).await.unwrap();
    assert_eq!(record_refund(&fixture, again.id, paid_back()).await, RefundState::Done);
    assert!(fixture.balances().await.is_empty(), "no balance is left");
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE + 7, &[])).await,
        Code::RefundTooLarge,
    );
}
