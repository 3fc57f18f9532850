//! A buyer looks at an order from the node's memory: what a command of this node did or what the node was told of is seen at once, anything else after a second (P11).

use std::time::Duration;

use futures::FutureExt as _;
use voelgoed_app::checkout::cancel_order::cancel_order;
use voelgoed_app::checkout::read_order::scope_of_token;
use voelgoed_app::checkout::view_order::view_order;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::Error;
use voelgoed_app::outbox::consumer::OutboxConsumer as _;
use voelgoed_app::outbox::consumers::OrderWatchers;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::send::send;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::{Code, Nature};

use crate::bench::Bench;

async fn seen(bench: &Bench, order: OrderId) -> OrderState {
    view_order(&bench.platform, bench.scope.organization, order).await.unwrap().order.state
}

/// An order that was looked at, and paid since without anybody telling this node.
async fn paid_unheard(bench: &Bench) -> OrderId {
    let order = bench.ordered(0).await;
    assert_eq!(seen(bench, order.order.id).await, OrderState::AwaitingPayment);
    send(&bench.platform, bench.scope.organization, order.attempts[0].id).await.unwrap();
    order.order.id
}

#[tokio::test]
async fn what_the_node_is_told_of_is_seen_at_once() {
    let bench = Bench::open().await;
    let order = paid_unheard(&bench).await;
    let mut watcher = bench.platform.order_watch.watch(bench.scope.organization, order);
    assert_eq!(seen(&bench, order).await, OrderState::AwaitingPayment, "cold was not asked");
    let rows = bench.platform.outbox.take(100, bench.environment.now(), Duration::from_secs(60)).await.unwrap().rows;
    let to = |wanted: OrderState| {
        let is_it =
            move |fact: &OutboxEvent| matches!(fact, OutboxEvent::OrderChanged { state, .. } if *state == wanted);
        rows.iter().find(|row| is_it(&row.fact)).unwrap()
    };
    let watch = bench.platform.order_watch.clone();
    let reader = OrderWatchers { views: bench.platform.order_views.clone(), watch };
    reader.read(to(OrderState::AwaitingPayment)).await.unwrap();
    assert_eq!(watcher.changed().now_or_never(), None, "it was made so");
    assert_eq!(seen(&bench, order).await, OrderState::AwaitingPayment, "cold was not asked");
    reader.read(to(OrderState::Paid)).await.unwrap();
    assert_eq!(watcher.changed().now_or_never(), Some(()));
    assert_eq!(seen(&bench, order).await, OrderState::Paid);
}

#[tokio::test]
async fn what_the_node_never_hears_of_is_seen_after_a_second() {
    let bench = Bench::open().await;
    let order = paid_unheard(&bench).await;
    bench.environment.advance(Duration::from_millis(999));
    assert_eq!(seen(&bench, order).await, OrderState::AwaitingPayment);
    bench.environment.advance(Duration::from_millis(1));
    assert_eq!(seen(&bench, order).await, OrderState::Paid);
}

#[tokio::test]
async fn what_the_node_did_itself_is_seen_at_once() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await.order.id;
    assert_eq!(seen(&bench, order).await, OrderState::AwaitingPayment);
    let after = cancel_order(&bench.platform, bench.scope.organization, order).await.unwrap();
    assert_eq!(*view_order(&bench.platform, bench.scope.organization, order).await.unwrap(), after);
}

#[tokio::test]
async fn links_to_an_order_open_it_until_long_after_the_event() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await.order;
    let tokens = &bench.platform.tokens;
    let links =
        [tokens.mint(TokenKind::Order, bench.scope, order.id), tokens.mint(TokenKind::Hold, bench.scope, order.hold)];
    let opens = async |link: &str| scope_of_token(&bench.platform, order.id, link).await.map(|scope| scope.event);
    let until = bench.platform.listings.listing(bench.scope).await.unwrap().admissions().widest().until;
    let ends = until.plus(bench.platform.times.order_link_lifetime);
    bench.environment.advance(ends.since(bench.environment.now()) - Duration::from_millis(1));
    for link in &links {
        assert_eq!(opens(link).await.unwrap(), bench.scope.event);
    }
    bench.environment.advance(Duration::from_millis(1));
    for link in &links {
        let Err(Error::Refused(refusal)) = opens(link).await else { panic!("it opens the order still") };
        assert_eq!((refusal.code, refusal.code.nature()), (Code::LinkExpired, Nature::Gone));
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_twice_is_cancelled_once() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await.order.id;
    *bench.provider.answer.lock().unwrap() = Some(Observation::Voided);
    for _ in 0..3 {
        let cancelled = cancel_order(&bench.platform, bench.scope.organization, order).await.unwrap();
        assert_eq!(cancelled.order.state, OrderState::Cancelled);
    }
}
