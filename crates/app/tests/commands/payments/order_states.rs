//! Brings orders and refunds into the states in which the tests of payments start.

use bytes::Bytes;
use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::CommandResult;
use voelgoed_app::idempotency::{Created, Idempotent};
use voelgoed_app::payments::open_refund::OpenRefund;
use voelgoed_app::payments::ports::{PaymentChoice, Refund};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE};
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{created, key, states};

/// Reads an order from the cold tier.
pub async fn read(shop: &TestPlatform, order: OrderId) -> OrderDetail {
    shop.slices.checkout.read_order(shop.scope.organization, order).await.unwrap()
}

/// Sends the last attempt of an order to the provider, which declines it.
pub async fn decline(shop: &TestPlatform, order: OrderId) {
    let declined = Observation::Declined { reason: "no money".into() };
    *shop.provider.charge_answer.lock().unwrap() = Some(declined);
    let payment = read(shop, order).await.attempts.last().unwrap().id;
    shop.slices.payments.send_attempt(shop.scope.organization, payment).await.unwrap();
    *shop.provider.charge_answer.lock().unwrap() = None;
}

/// Orders a seat and has its charge declined; returns the order, which awaits another payment.
pub async fn declined_order(shop: &TestPlatform, place: u32) -> OrderDetail {
    let order = shop.order_seat(place).await.order.id;
    decline(shop, order).await;
    read(shop, order).await
}

/// Expires an unpaid order after its time to pay.
pub async fn expire(shop: &TestPlatform, order: OrderDetail) -> OrderDetail {
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    shop.environment.advance(order.order.pay_by.plus(PAY_BY_GRACE).since(shop.environment.now()));
    shop.slices.payments.expire_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!(states(shop, order.order.id).await.0, OrderState::Expired);
    shop.relay().await;
    read(shop, order.order.id).await
}

/// Starts another payment attempt for an order, with an idempotency key.
pub async fn pay_again(shop: &TestPlatform, order: OrderId, name: &str) -> CommandResult<Created<OrderDetail>> {
    let choice = PaymentChoice { provider: "puppet".into(), method: "ok".into() };
    let idempotent = Idempotent { key: key(name, 1), render: &|_| Bytes::from_static(b"an order") };
    shop.slices.payments.pay_again(shop.scope, order, choice, idempotent).await
}

/// Opens a refund with an idempotency key.
pub async fn refund(
    shop: &TestPlatform,
    order: OrderId,
    selection: RefundSelection,
    name: &str,
) -> CommandResult<Created<Refund>> {
    let command = OpenRefund {
        order,
        selection,
        revoke: None,
        reason: "rain".into(),
        forced: false,
        actor: "key_1".into(),
        idempotent: Idempotent { key: key(name, 1), render: &|_| Bytes::from_static(b"a refund") },
    };
    shop.slices.payments.open_refund(shop.scope.organization, command).await
}

/// Sells a seat and opens a refund of its ticket; returns the order and the open refund.
pub async fn refunding(shop: &TestPlatform, place: u32) -> (OrderDetail, Refund) {
    let order = shop.paid_order(place).await;
    let ticket = RefundSelection::Tickets(vec![order.tickets[0].id]);
    let opened = created(refund(shop, order.order.id, ticket, "refund").await);
    (order, opened)
}
