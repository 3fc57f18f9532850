//! Who may ask a provider for money, and when (P2).

use std::time::Duration;

use voelgoed_app::environment::Environment as _;
use voelgoed_app::payments::ports::SendLease;
use voelgoed_app::payments::send::send;
use voelgoed_domain::checkout::order::OrderState;

use crate::bench::Bench;

#[tokio::test]
async fn only_the_holder_of_the_lease_asks_for_money() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await;
    let (organization, payment) = (bench.scope.organization, order.attempts[0].id);
    let now = bench.environment.now();
    let lease = SendLease { token: bench.environment.uuid(), until: now.plus(Duration::from_secs(15)) };
    let leased = bench.platform.payments.lease_send(organization, payment, lease, now).await.unwrap();
    assert!(leased.is_some());
    send(&bench.platform, organization, payment).await.unwrap();
    assert_eq!(bench.provider.charges(), 0, "another one has the lease");
    bench.environment.advance(Duration::from_secs(15));
    send(&bench.platform, organization, payment).await.unwrap();
    assert_eq!(bench.provider.charges(), 1, "it went silent");
    send(&bench.platform, organization, payment).await.unwrap();
    assert_eq!(bench.provider.charges(), 1, "it is paid");
}

#[tokio::test]
async fn no_money_is_asked_for_once_its_time_is_over() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await;
    let (organization, payment) = (bench.scope.organization, order.attempts[0].id);
    bench.environment.advance(order.attempts[0].send_before.since(bench.environment.now()));
    send(&bench.platform, organization, payment).await.unwrap();
    assert_eq!(bench.provider.charges(), 0);
    let detail = bench.platform.orders.read_order(organization, order.order.id).await.unwrap().unwrap();
    assert_eq!(detail.order.state, OrderState::AwaitingPayment);
}
