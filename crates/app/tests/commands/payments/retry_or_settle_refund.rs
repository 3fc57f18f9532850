//! Ends refunds that their provider refused: it is called again, or a person states that the money went back without the platform (P5).

use std::time::Duration;

use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_app::payments::apply_observation::UnmatchedCapture;
use voelgoed_app::payments::execute_refund::RefundProgress;
use voelgoed_app::payments::ports::{Refund, RefundObservation};
use voelgoed_app::payments::retry_or_settle_refund::REFERENCE_CHARS_MAX;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::Code;
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::TestPlatform;

use super::order_states::{read, refunding};
use crate::support::{captured, code, refusal};

/// A paid order with a refund that its provider refused.
async fn refused() -> (TestPlatform, OrderDetail, Refund) {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Failed { reason: "closed".into() });
    shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
    (shop, order, opened)
}

#[tokio::test]
async fn retried_refund_is_requested_again_under_its_own_key() {
    let (shop, order, opened) = refused().await;
    let organization = shop.scope.organization;
    let retried = shop.slices.payments.retry_refund(organization, order.order.id, opened.id).await.unwrap();
    assert_eq!((retried.id, retried.state), (opened.id, RefundState::Pending));
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Done { provider_ref: "ref".into() });
    let progress = shop.slices.payments.execute_refund(organization, opened.id).await.unwrap();
    assert_eq!(progress, RefundProgress::Settled);
    assert_eq!(read(&shop, order.order.id).await.order.state, OrderState::Refunded);
    assert_eq!(shop.provider.refunds(), 2);
}

#[tokio::test]
async fn refund_that_was_settled_by_hand_is_done_and_is_not_requested_again() {
    let (shop, order, opened) = refused().await;
    let organization = shop.scope.organization;
    let settled = shop.slices.payments.settle_refund(organization, order.order.id, opened.id, "bank 7").await.unwrap();
    assert_eq!(settled.state, RefundState::Done);
    assert_eq!(read(&shop, order.order.id).await.order.state, OrderState::Refunded);
    let retried = shop.slices.payments.retry_refund(organization, order.order.id, opened.id).await;
    assert_eq!(code(retried), Code::WrongState);
    shop.slices.payments.execute_refund(organization, opened.id).await.unwrap();
    assert_eq!(shop.provider.refunds(), 1);
}

#[tokio::test]
async fn retry_and_settlement_need_a_refused_refund() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    let (payments, organization, id) = (&shop.slices.payments, shop.scope.organization, order.order.id);
    assert_eq!(code(payments.retry_refund(organization, id, opened.id).await), Code::WrongState);
    assert_eq!(code(payments.settle_refund(organization, id, opened.id, "bank 7").await), Code::WrongState);
}

#[tokio::test]
async fn refund_is_found_under_its_own_order_only() {
    let (shop, _, opened) = refused().await;
    let other = shop.paid_order(3).await.order.id;
    let (payments, organization) = (&shop.slices.payments, shop.scope.organization);
    assert_eq!(code(payments.retry_refund(organization, other, opened.id).await), Code::NotFound);
    assert_eq!(code(payments.settle_refund(organization, other, opened.id, "bank 7").await), Code::NotFound);
}

#[tokio::test]
async fn reference_of_a_settled_refund_has_up_to_200_characters() {
    let (shop, order, opened) = refused().await;
    let settle = async |length| {
        let reference = "é".repeat(length);
        shop.slices.payments.settle_refund(shop.scope.organization, order.order.id, opened.id, &reference).await
    };
    assert_eq!(refusal(settle(REFERENCE_CHARS_MAX + 1).await).evidence.field.as_deref(), Some("reference"));
    settle(REFERENCE_CHARS_MAX).await.unwrap();
}

#[tokio::test]
async fn retry_of_a_refund_waits_while_cold_is_read_only() {
    let (shop, order, opened) = refused().await;
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    let retried = shop.slices.payments.retry_refund(shop.scope.organization, order.order.id, opened.id).await;
    assert_eq!(code(retried), Code::TryAgain);
}

/// Views of unpaid orders are cached, so the order is one whose late money was not taken back.
#[tokio::test]
async fn buyer_sees_the_retry_and_the_settlement_of_a_refund_at_once() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let (payments, organization, id) = (&shop.slices.payments, shop.scope.organization, order.order.id);
    let (payment, late) = (order.attempts[0].id, Money::new(7, order.order.total.currency));
    payments.apply_observation(organization, payment, captured(late)).await.unwrap();
    payments.settle_unmatched_capture(organization, UnmatchedCapture { payment, captured: late }).await.unwrap();
    let opened = read(&shop, id).await.refunds[0].id;
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Failed { reason: "closed".into() });
    payments.execute_refund(organization, opened).await.unwrap();
    shop.environment.advance(Duration::from_secs(2));
    let seen = async || shop.slices.checkout.view_order(organization, id).await.unwrap().refunds[0].state;
    assert_eq!(seen().await, RefundState::Failed);
    payments.retry_refund(organization, id, opened).await.unwrap();
    assert_eq!(seen().await, RefundState::Pending);
    payments.execute_refund(organization, opened).await.unwrap();
    shop.environment.advance(Duration::from_secs(2));
    assert_eq!(seen().await, RefundState::Failed);
    payments.settle_refund(organization, id, opened, "bank 7").await.unwrap();
    assert_eq!(seen().await, RefundState::Done);
}
