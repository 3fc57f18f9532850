//! A buyer looks at an order from the node's memory: what a command of this node did or what the node was told of is seen at once, anything else after a second (P11).

use std::time::Duration;

use futures::FutureExt as _;
use voelgoed_app::checkout::cancel_order::cancel_order;
use voelgoed_app::checkout::view_order::view_order;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::outbox::fact::Fact;
use voelgoed_app::outbox::reader::FactReader as _;
use voelgoed_app::outbox::readers::OrderWatchers;
use voelgoed_app::payments::send::send;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;

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
        let is_it = move |fact: &Fact| matches!(fact, Fact::OrderChanged { state, .. } if *state == wanted);
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
