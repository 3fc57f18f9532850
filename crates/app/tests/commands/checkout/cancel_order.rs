//! Cancels unpaid orders: at their provider first, repeatable, and never an order that was paid.

use voelgoed_app::environment::new_id;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_testkit::platform::{ProviderCall, TestPlatform};

use crate::support::{captured, code, place_state, states};

#[tokio::test]
async fn cancelled_order_is_cancelled_at_its_provider_and_its_place_is_free() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    let after = shop.slices.checkout.cancel_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!((after.order.state, after.attempts[0].state), (OrderState::Cancelled, AttemptState::Voided));
    assert_eq!(shop.provider.calls(), [ProviderCall::Cancel(order.attempts[0].id)]);
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn order_whose_provider_is_silent_is_cancelled_by_a_later_round() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let organization = shop.scope.organization;
    for _ in 0..2 {
        let after = shop.slices.checkout.cancel_order(organization, order.order.id).await.unwrap();
        assert_eq!(after.order.state, OrderState::AwaitingPayment);
        assert_eq!(place_state(&shop, 0).await, PlaceState::Claimed, "it may still be paid");
    }
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 1, "its time to pay ended with the request");
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Cancelled, vec![AttemptState::Voided]));
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn order_that_was_captured_before_its_cancellation_is_issued() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.cancel_answer.lock().unwrap() = Some(captured(order.order.total));
    let after = shop.slices.checkout.cancel_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!((after.order.state, after.tickets.len()), (OrderState::Paid, 1));
}

#[tokio::test]
async fn order_with_resolved_attempts_is_cancelled_without_a_provider_call() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.charge_answer.lock().unwrap() = Some(Observation::Declined { reason: "no money".into() });
    shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await.unwrap();
    let after = shop.slices.checkout.cancel_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!((after.order.state, after.attempts[0].state), (OrderState::Cancelled, AttemptState::Failed));
    assert_eq!(shop.provider.calls(), [ProviderCall::Charge(order.attempts[0].id)]);
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn paid_or_unknown_order_is_not_cancelled() {
    let shop = TestPlatform::open().await;
    let paid = shop.paid_order(0).await.order.id;
    let organization = shop.scope.organization;
    assert_eq!(code(shop.slices.checkout.cancel_order(organization, paid).await), Code::WrongState);
    let unknown = new_id(&*shop.environment);
    assert_eq!(code(shop.slices.checkout.cancel_order(organization, unknown).await), Code::NotFound);
    let stranger = new_id(&*shop.environment);
    assert_eq!(code(shop.slices.checkout.cancel_order(stranger, paid).await), Code::NotFound);
    assert_eq!(states(&shop, paid).await.0, OrderState::Paid);
}
