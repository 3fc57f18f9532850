//! Sends attempts to their provider: by the holder of the lease only, and only within their time (P2).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use voelgoed_app::environment::Environment as _;
use voelgoed_app::payments::ports::SendLease;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, states};

#[tokio::test]
async fn attempt_is_charged_by_the_holder_of_its_lease_only() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let (organization, payment) = (shop.scope.organization, order.attempts[0].id);
    let now = shop.environment.now();
    let lease = SendLease { token: shop.environment.uuid(), until: now.plus(Duration::from_secs(15)) };
    let leased = shop.slices.payments.store.lease_send(organization, payment, lease, now).await.unwrap();
    assert!(leased.is_some());
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(shop.provider.charges(), 0, "another one has the lease");
    shop.environment.advance(Duration::from_secs(15));
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(shop.provider.charges(), 1, "it went silent");
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(shop.provider.charges(), 1, "it is paid");
}

#[tokio::test]
async fn attempt_is_not_charged_after_its_time_to_pay() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let (organization, payment) = (shop.scope.organization, order.attempts[0].id);
    shop.environment.advance(order.attempts[0].send_before.since(shop.environment.now()));
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(shop.provider.charges(), 0);
    let detail = shop.slices.checkout.orders.read_order(organization, order.order.id).await.unwrap().unwrap();
    assert_eq!(detail.order.state, OrderState::AwaitingPayment);
}

#[tokio::test]
async fn attempt_waits_unleased_while_its_provider_has_no_address() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let (organization, payment) = (shop.scope.organization, order.attempts[0].id);
    shop.provider.is_missing.store(true, Ordering::SeqCst);
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(states(&shop, order.order.id).await, (OrderState::AwaitingPayment, vec![AttemptState::Created]));
    shop.provider.is_missing.store(false, Ordering::SeqCst);
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Paid, vec![AttemptState::Captured]));
}

#[tokio::test]
async fn answer_to_a_charge_decides_the_state_of_its_attempt() {
    for (answer, expected) in [
        (Observation::Declined { reason: "no money".into() }, AttemptState::Failed),
        (Observation::NotReached, AttemptState::Failed),
        (Observation::Pending, AttemptState::Pending),
        (Observation::NoAnswer, AttemptState::Unknown),
    ] {
        let shop = TestPlatform::open().await;
        let order = shop.order_seat(0).await;
        *shop.provider.charge_answer.lock().unwrap() = Some(answer.clone());
        for _ in 0..2 {
            shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await.unwrap();
        }
        let expected = (OrderState::AwaitingPayment, vec![expected]);
        assert_eq!(states(&shop, order.order.id).await, expected, "{answer:?}");
        assert_eq!(shop.provider.charges(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn refused_connection_of_a_second_sender_leaves_the_attempt_unknown() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let (organization, payment) = (shop.scope.organization, order.attempts[0].id);
    let now = shop.environment.now();
    let times = shop.slices.context.times;
    let first = SendLease { token: shop.environment.uuid(), until: now.plus(times.send_lease) };
    shop.slices.payments.store.lease_send(organization, payment, first, now).await.unwrap().unwrap();
    shop.environment.advance(times.send_lease);
    *shop.provider.charge_answer.lock().unwrap() = Some(Observation::NotReached);
    shop.slices.payments.send_attempt(organization, payment).await.unwrap();
    assert_eq!(states(&shop, order.order.id).await.1, [AttemptState::Unknown], "the first sender may have sent it");
}

#[tokio::test]
async fn attempt_of_an_unconfigured_provider_is_not_charged() {
    let mut shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    Arc::make_mut(&mut shop.slices.payments).gateways.clear();
    let sent = shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await;
    assert_eq!(code(sent), Code::InvalidRequest);
    assert_eq!(states(&shop, order.order.id).await.1, [AttemptState::Created]);
}
