//! Resolves open attempts: sends the unsent ones, polls the others, and bars the key of a charge that the provider does not know.

use std::sync::Arc;

use std::time::Duration;

use futures::FutureExt as _;
use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::payments::resolve_attempts::ATTEMPTS_PER_ROUND_MAX;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE};
use voelgoed_domain::payments::expiry::UNRESOLVED_ALARM_AFTER;
use voelgoed_testkit::platform::{ProviderCall, TestPlatform};

use crate::support::{captured, field_area, hold, places_of_area, states};

const MICRO: Duration = Duration::from_micros(1);
/// Longer than the interval between two polls of an attempt.
const POLL: Duration = Duration::from_secs(6);

/// An order whose charge was sent and answered with `answer`.
async fn charged(answer: Observation) -> (TestPlatform, OrderDetail) {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.charge_answer.lock().unwrap() = Some(answer);
    shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await.unwrap();
    (shop, order)
}

async fn attempt_state(shop: &TestPlatform, order: &OrderDetail) -> AttemptState {
    states(shop, order.order.id).await.1[0]
}

fn advance_to(shop: &TestPlatform, at: voelgoed_domain::time::Timestamp) {
    shop.environment.advance(at.since(shop.environment.now()));
}

#[tokio::test]
async fn created_attempt_that_no_node_sent_is_sent() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    shop.environment.advance(POLL);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1);
    assert_eq!(shop.provider.calls(), [ProviderCall::Charge(order.attempts[0].id)]);
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Paid, vec![AttemptState::Captured]));
    shop.environment.advance(POLL);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 0);
}

#[tokio::test]
async fn created_attempt_past_its_time_is_polled_and_not_sent() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    advance_to(&shop, order.attempts[0].send_before);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1);
    assert_eq!(shop.provider.calls(), [ProviderCall::Poll(order.attempts[0].id)]);
}

#[tokio::test]
async fn created_attempt_is_sent_until_the_last_moment_of_its_time() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    shop.environment.advance(order.attempts[0].send_before.since(shop.environment.now()) - MICRO);
    shop.slices.payments.resolve_attempts().await.unwrap();
    assert_eq!(shop.provider.calls(), [ProviderCall::Charge(order.attempts[0].id)]);
}

#[tokio::test]
async fn attempt_that_was_captured_unseen_is_issued() {
    for answer in [Observation::NoAnswer, Observation::Pending] {
        let (shop, order) = charged(answer).await;
        *shop.provider.answer.lock().unwrap() = Some(captured(order.order.total));
        shop.environment.advance(POLL);
        shop.slices.payments.resolve_attempts().await.unwrap();
        assert_eq!(states(&shop, order.order.id).await, (OrderState::Paid, vec![AttemptState::Captured]));
    }
}

#[tokio::test]
async fn attempt_that_is_absent_at_its_provider_is_barred_once_its_senders_lease_is_over() {
    let (shop, order) = charged(Observation::NoAnswer).await;
    *shop.provider.answer.lock().unwrap() = Some(Observation::Absent);
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    let lease = shop.slices.context.times.send_lease;
    shop.environment.advance(lease - MICRO);
    shop.slices.payments.resolve_attempts().await.unwrap();
    assert_eq!(attempt_state(&shop, &order).await, AttemptState::Unknown, "it may still arrive");
    shop.environment.advance(POLL);
    shop.slices.payments.resolve_attempts().await.unwrap();
    let payment = order.attempts[0].id;
    let calls = [ProviderCall::Poll(payment), ProviderCall::Poll(payment), ProviderCall::Cancel(payment)];
    assert_eq!(shop.provider.calls()[1..], calls);
    assert_eq!(states(&shop, order.order.id).await, (OrderState::AwaitingPayment, vec![AttemptState::Voided]));
}

#[tokio::test]
async fn attempt_that_is_absent_at_the_end_of_its_lease_is_barred() {
    let (shop, order) = charged(Observation::NoAnswer).await;
    *shop.provider.answer.lock().unwrap() = Some(Observation::Absent);
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    shop.environment.advance(shop.slices.context.times.send_lease);
    shop.slices.payments.resolve_attempts().await.unwrap();
    assert_eq!(attempt_state(&shop, &order).await, AttemptState::Voided);
}

#[tokio::test]
async fn attempt_that_its_provider_accepted_is_barred_only_after_the_time_to_pay() {
    let (shop, order) = charged(Observation::Pending).await;
    *shop.provider.answer.lock().unwrap() = Some(Observation::Absent);
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    let end = order.order.pay_by.plus(PAY_BY_GRACE);
    shop.environment.advance(end.since(shop.environment.now()) - MICRO - POLL);
    shop.slices.payments.resolve_attempts().await.unwrap();
    assert_eq!(attempt_state(&shop, &order).await, AttemptState::Pending);
    advance_to(&shop, end);
    shop.slices.payments.resolve_attempts().await.unwrap();
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Expired, vec![AttemptState::Voided]));
}

#[tokio::test]
async fn poll_leaves_an_unanswered_attempt_open() {
    let (shop, order) = charged(Observation::NoAnswer).await;
    advance_to(&shop, order.order.pay_by.plus(UNRESOLVED_ALARM_AFTER));
    for _ in 0..2 {
        assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1, "also when the alarm is raised");
        assert_eq!(states(&shop, order.order.id).await, (OrderState::AwaitingPayment, vec![AttemptState::Unknown]));
        shop.environment.advance(POLL);
    }
    let payment = order.attempts[0].id;
    assert_eq!(shop.provider.calls()[1..], [ProviderCall::Poll(payment), ProviderCall::Poll(payment)]);
    let left = shop.slices.payments.store.unresolved().await.unwrap();
    assert_eq!((left.count, left.oldest), (1, Some(order.attempts[0].created_at)));
}

#[tokio::test]
async fn attempt_is_polled_once_per_interval() {
    let (shop, _) = charged(Observation::NoAnswer).await;
    let interval = shop.slices.context.times.poll_interval;
    shop.environment.advance(interval + MICRO);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 0);
    shop.environment.advance(interval - MICRO);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 0);
    shop.environment.advance(MICRO * 2);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1);
    assert_eq!(shop.provider.calls().len(), 1 + 2);
}

#[tokio::test]
async fn attempts_are_resolved_while_the_provider_of_another_hangs() {
    let shop = TestPlatform::open().await;
    let (stuck, other) = (shop.order_seat(0).await, shop.order_seat(3).await);
    *shop.provider.charge_answer.lock().unwrap() = Some(Observation::NoAnswer);
    for order in [&stuck, &other] {
        shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await.unwrap();
    }
    shop.provider.hanging.lock().unwrap().insert(stuck.attempts[0].id);
    *shop.provider.answer.lock().unwrap() = Some(captured(other.order.total));
    shop.environment.advance(POLL);
    let mut round = Box::pin(shop.slices.payments.resolve_attempts()).fuse();
    let mut others_end = Box::pin(async {
        while states(&shop, other.order.id).await.0 != OrderState::Paid {
            tokio::task::yield_now().await;
        }
    })
    .fuse();
    futures::select! {
        ended = round => panic!("the round ended without an answer: {ended:?}"),
        () = others_end => {}
    }
    assert_eq!(attempt_state(&shop, &stuck).await, AttemptState::Unknown);
}

#[tokio::test]
async fn attempt_of_a_provider_that_is_not_configured_stays_unresolved() {
    let (mut shop, order) = charged(Observation::NoAnswer).await;
    Arc::make_mut(&mut shop.slices.payments).gateways.clear();
    shop.environment.advance(POLL);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1);
    assert_eq!(attempt_state(&shop, &order).await, AttemptState::Unknown);
}

#[tokio::test]
async fn one_round_takes_up_to_100_attempts() {
    let shop = TestPlatform::builder().areas(vec![field_area(1, 200)]).open().await;
    for buyer in 0..=ATTEMPTS_PER_ROUND_MAX {
        let held = hold(&shop, vec![places_of_area(&shop, 0, 1).await]).await.unwrap();
        shop.order_as(held.id, "once", &format!("buyer{buyer}@example.org"), Some("ok")).await.unwrap();
    }
    shop.environment.advance(POLL);
    let most = ATTEMPTS_PER_ROUND_MAX as usize;
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), most);
    assert_eq!(shop.provider.charges(), most);
    assert_eq!(shop.slices.payments.resolve_attempts().await.unwrap(), 1);
}
