//! Shows an order from the node's memory: a change by this node or from the outbox at once, any other change after a second (P11).

use std::time::Duration;

use futures::FutureExt as _;
use voelgoed_app::checkout::order_notifications::OrderNotifications;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::CommandError;
use voelgoed_app::outbox::consumer::OutboxConsumer as _;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::{Code, RefusalKind};

use voelgoed_testkit::platform::TestPlatform;

async fn seen(shop: &TestPlatform, order: OrderId) -> OrderState {
    shop.slices.checkout.view_order(shop.scope.organization, order).await.unwrap().order.state
}

/// An order that was viewed, and paid since without an outbox event for this node.
async fn paid_unheard(shop: &TestPlatform) -> OrderId {
    let order = shop.order_seat(0).await;
    assert_eq!(seen(shop, order.order.id).await, OrderState::AwaitingPayment);
    shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await.unwrap();
    order.order.id
}

#[tokio::test]
async fn change_that_the_outbox_delivers_is_seen_at_once() {
    let shop = TestPlatform::open().await;
    let order = paid_unheard(&shop).await;
    let mut watcher = shop.slices.checkout.watch.watch(shop.scope.organization, order);
    assert_eq!(seen(&shop, order).await, OrderState::AwaitingPayment, "cold was not asked");
    let rows = OutboxStore::take(&*shop.cold, 100, shop.environment.now(), Duration::from_secs(60)).await.unwrap().rows;
    let to = |wanted: OrderState| {
        let is_it =
            move |fact: &OutboxEvent| matches!(fact, OutboxEvent::OrderChanged { state, .. } if *state == wanted);
        rows.iter().find(|row| is_it(&row.outbox_event)).unwrap()
    };
    let watch = shop.slices.checkout.watch.clone();
    let reader = OrderNotifications { views: shop.slices.checkout.views.clone(), watch };
    reader.consume(to(OrderState::AwaitingPayment)).await.unwrap();
    assert_eq!(watcher.changed().now_or_never(), None, "it was made so");
    assert_eq!(seen(&shop, order).await, OrderState::AwaitingPayment, "cold was not asked");
    reader.consume(to(OrderState::Paid)).await.unwrap();
    assert_eq!(watcher.changed().now_or_never(), Some(()));
    assert_eq!(seen(&shop, order).await, OrderState::Paid);
}

#[tokio::test]
async fn change_without_an_outbox_event_is_seen_after_a_second() {
    let shop = TestPlatform::open().await;
    let order = paid_unheard(&shop).await;
    shop.environment.advance(Duration::from_millis(999));
    assert_eq!(seen(&shop, order).await, OrderState::AwaitingPayment);
    shop.environment.advance(Duration::from_millis(1));
    assert_eq!(seen(&shop, order).await, OrderState::Paid);
}

#[tokio::test]
async fn cancellation_by_this_node_is_seen_at_once() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await.order.id;
    assert_eq!(seen(&shop, order).await, OrderState::AwaitingPayment);
    let after = shop.slices.checkout.cancel_order(shop.scope.organization, order).await.unwrap();
    assert_eq!(*shop.slices.checkout.view_order(shop.scope.organization, order).await.unwrap(), after);
}

#[tokio::test]
async fn link_to_an_order_opens_it_until_its_lifetime_after_the_event_ends() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await.order;
    let tokens = &shop.slices.context.tokens;
    let links =
        [tokens.mint(TokenKind::Order, shop.scope, order.id), tokens.mint(TokenKind::Hold, shop.scope, order.hold)];
    let opens = async |link: &str| shop.slices.checkout.scope_of_token(order.id, link).await.map(|scope| scope.event);
    let until = shop.slices.catalog.listings.listing(shop.scope).await.unwrap().admissions().widest().until;
    let ends = until.plus(shop.slices.context.times.order_link_lifetime);
    shop.environment.advance(ends.since(shop.environment.now()) - Duration::from_millis(1));
    for link in &links {
        assert_eq!(opens(link).await.unwrap(), shop.scope.event);
    }
    shop.environment.advance(Duration::from_millis(1));
    for link in &links {
        let Err(CommandError::Refused(refusal)) = opens(link).await else { panic!("it opens the order still") };
        assert_eq!((refusal.code, refusal.code.kind()), (Code::LinkExpired, RefusalKind::Gone));
    }
}

#[tokio::test]
async fn repeated_cancellation_of_an_order_succeeds() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await.order.id;
    *shop.provider.answer.lock().unwrap() = Some(Observation::Voided);
    for _ in 0..3 {
        let cancelled = shop.slices.checkout.cancel_order(shop.scope.organization, order).await.unwrap();
        assert_eq!(cancelled.order.state, OrderState::Cancelled);
    }
}
