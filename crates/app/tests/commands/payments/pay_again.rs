//! Pays an unpaid order once more: after an attempt that ended, within the time to pay, and a limited number of times.

use std::time::Duration;

use voelgoed_app::environment::Environment as _;
use voelgoed_app::idempotency::Created;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::expiry::ATTEMPTS_PER_ORDER_MAX;
use voelgoed_domain::refusal::Code;
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::TestPlatform;

use super::order_states::{decline, declined_order, pay_again};
use crate::support::{code, created, limit, refusal, states};

#[tokio::test]
async fn second_attempt_after_a_declined_one_is_numbered_and_queued() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    let mut queue = shop.slices.payments.send_queue.take_receiver().unwrap();
    queue.try_recv().unwrap();
    let again = created(pay_again(&shop, order.order.id, "again").await);
    let attempt = &again.attempts[1];
    assert_eq!((attempt.number, attempt.state, attempt.amount), (2, AttemptState::Created, order.order.total));
    assert_eq!((attempt.pay_by, attempt.send_before), (order.order.pay_by, order.order.pay_by));
    assert_eq!(queue.try_recv().unwrap(), (shop.scope.organization, attempt.id));
    shop.slices.payments.send_attempt(shop.scope.organization, attempt.id).await.unwrap();
    let expected = (OrderState::Paid, vec![AttemptState::Failed, AttemptState::Captured]);
    assert_eq!(states(&shop, order.order.id).await, expected);
}

#[tokio::test]
async fn buyer_who_pays_again_sees_the_new_attempt_at_once() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    let seen = async || {
        let view = shop.slices.checkout.view_order(shop.scope.organization, order.order.id).await.unwrap();
        view.attempts.len()
    };
    assert_eq!(seen().await, 1);
    created(pay_again(&shop, order.order.id, "again").await);
    assert_eq!(seen().await, 2);
}

#[tokio::test]
async fn repeated_request_for_another_attempt_is_replayed_and_queued_once() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    let mut queue = shop.slices.payments.send_queue.take_receiver().unwrap();
    created(pay_again(&shop, order.order.id, "again").await);
    while queue.try_recv().is_ok() {}
    let replayed = pay_again(&shop, order.order.id, "again").await.unwrap();
    assert!(matches!(&replayed, Created::Replayed(answer) if &answer[..] == b"an order"), "{replayed:?}");
    assert!(queue.try_recv().is_err());
    assert_eq!(code(pay_again(&shop, order.order.id, "other").await), Code::PaymentUnresolved);
}

#[tokio::test]
async fn order_has_up_to_10_attempts() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await.order.id;
    for number in 2..=ATTEMPTS_PER_ORDER_MAX {
        created(pay_again(&shop, order, &number.to_string()).await);
        decline(&shop, order).await;
    }
    let one_more = pay_again(&shop, order, "one more").await;
    assert_eq!(limit(one_more), (Code::LimitReached, "attempts_per_order", ATTEMPTS_PER_ORDER_MAX as u64));
    assert_eq!(states(&shop, order).await.1.len(), ATTEMPTS_PER_ORDER_MAX);
}

#[tokio::test]
async fn order_past_its_time_to_pay_takes_no_other_attempt() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    let left = order.order.pay_by.since(shop.environment.now());
    shop.environment.advance(left - Duration::from_micros(1));
    created(pay_again(&shop, order.order.id, "in time").await);
    decline(&shop, order.order.id).await;
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    shop.environment.advance(left);
    assert_eq!(code(pay_again(&shop, order.order.id, "late").await), Code::NotPayable);
}

#[tokio::test]
async fn second_attempt_for_expired_tickets_is_refused() {
    let shop = TestPlatform::builder()
        .event(|event| event.admission.admits_until = Some(event.sale.opens_at.plus(Duration::from_secs(700))))
        .open()
        .await;
    let order = declined_order(&shop, 0).await.order.id;
    shop.environment.advance(Duration::from_secs(700));
    assert_eq!(code(pay_again(&shop, order, "late").await), Code::SaleClosed);
}

#[tokio::test]
async fn another_attempt_is_possible_without_warm_and_refused_while_cold_is_read_only() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await.order.id;
    let capabilities = &shop.slices.context.capabilities;
    capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    let refused = refusal(pay_again(&shop, order, "again").await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::TryAgain, Some(10)));
    capabilities.report(Dependency::Cold, DependencyHealth::Up);
    capabilities.report(Dependency::Warm, DependencyHealth::Down);
    created(pay_again(&shop, order, "again").await);
}
