//! Expires unpaid orders: their attempts are cancelled at the provider first, and their places are free afterwards (P2, P4).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use voelgoed_app::checkout::ports::{OrderDetail, OverdueOrder};
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::StoreResult;
use voelgoed_app::payments::expire_orders::ORDERS_PER_ROUND_MAX;
use voelgoed_app::payments::order_ports::PayableOrders;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Cancellation, Observation, PAY_BY_GRACE};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::platform::{ProviderCall, TestPlatform};

use crate::support::{captured, place_state, states};

const MICRO: Duration = Duration::from_micros(1);
/// Orders that one page of a round reads.
const ORDERS_PER_PAGE: u32 = 200;

/// Moves the clock to the end of the time to pay of an order, its grace included.
fn advance_to_overdue(shop: &TestPlatform, order: &OrderDetail) {
    shop.environment.advance(order.order.pay_by.plus(PAY_BY_GRACE).since(shop.environment.now()));
}

#[tokio::test]
async fn overdue_order_is_cancelled_at_its_provider_and_its_place_is_free() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    advance_to_overdue(&shop, &order);
    assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 1);
    assert_eq!(shop.provider.calls(), [ProviderCall::Cancel(order.attempts[0].id)]);
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Expired, vec![AttemptState::Voided]));
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
    assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 0);
}

#[tokio::test]
async fn order_within_its_time_to_pay_and_grace_is_left_alone() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let left = order.order.pay_by.plus(PAY_BY_GRACE).since(shop.environment.now());
    shop.environment.advance(left - MICRO);
    assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 0);
    shop.slices.payments.expire_order(shop.scope.organization, order.order.id).await.unwrap();
    assert!(shop.provider.calls().is_empty());
    assert_eq!(states(&shop, order.order.id).await, (OrderState::AwaitingPayment, vec![AttemptState::Created]));
}

#[tokio::test]
async fn order_whose_provider_does_not_answer_stays_open_with_its_place() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    advance_to_overdue(&shop, &order);
    for _ in 0..3 {
        assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 1);
        assert_eq!(states(&shop, order.order.id).await, (OrderState::AwaitingPayment, vec![AttemptState::Unknown]));
        assert_eq!(place_state(&shop, 0).await, PlaceState::Claimed);
    }
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    shop.slices.payments.expire_orders().await.unwrap();
    assert_eq!(states(&shop, order.order.id).await.0, OrderState::Expired);
}

#[tokio::test]
async fn silent_provider_is_called_once_per_round_about_a_known_attempt() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    advance_to_overdue(&shop, &order);
    shop.slices.payments.expire_orders().await.unwrap();
    let before = shop.provider.calls().len();
    shop.slices.payments.expire_orders().await.unwrap();
    assert_eq!(shop.provider.calls().len(), before + 1);
}

#[tokio::test]
async fn orders_expire_while_the_provider_of_another_hangs() {
    let shop = TestPlatform::open().await;
    let (stuck, other) = (shop.order_seat(0).await, shop.order_seat(3).await);
    shop.provider.hanging.lock().unwrap().insert(stuck.attempts[0].id);
    *shop.provider.cancel_answer.lock().unwrap() = Some(Observation::Voided);
    advance_to_overdue(&shop, &other);
    let mut round = Box::pin(shop.slices.payments.expire_orders()).fuse();
    let mut others_end = Box::pin(async {
        while states(&shop, other.order.id).await.0 != OrderState::Expired {
            tokio::task::yield_now().await;
        }
    })
    .fuse();
    futures::select! {
        ended = round => panic!("the round ended without an answer: {ended:?}"),
        () = others_end => {}
    }
    assert_eq!(states(&shop, stuck.order.id).await.0, OrderState::AwaitingPayment);
    assert_eq!(place_state(&shop, 0).await, PlaceState::Claimed);
}

#[tokio::test]
async fn order_that_was_captured_when_it_should_be_cancelled_is_issued() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.cancel_answer.lock().unwrap() = Some(captured(order.order.total));
    advance_to_overdue(&shop, &order);
    shop.slices.payments.expire_orders().await.unwrap();
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Paid, vec![AttemptState::Captured]));
    assert_eq!(place_state(&shop, 0).await, PlaceState::Sold);
    let detail = shop.slices.checkout.read_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!(detail.tickets.len(), 1);
    assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 0);
}

#[tokio::test]
async fn order_whose_attempts_have_ended_expires_without_its_provider() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    *shop.provider.charge_answer.lock().unwrap() = Some(Observation::Declined { reason: "no money".into() });
    shop.slices.payments.send_attempt(shop.scope.organization, order.attempts[0].id).await.unwrap();
    advance_to_overdue(&shop, &order);
    shop.slices.payments.expire_orders().await.unwrap();
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Expired, vec![AttemptState::Failed]));
    assert_eq!(shop.provider.calls(), [ProviderCall::Charge(order.attempts[0].id)]);
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn order_that_its_provider_cannot_cancel_expires_after_the_grace_of_its_method() {
    let shop = TestPlatform::open().await;
    let grace = Duration::from_secs(120);
    *shop.provider.cancellation.lock().unwrap() = Some(Cancellation::Unsupported { grace });
    let order = shop.order_seat(0).await;
    shop.environment.advance(order.order.pay_by.plus(grace).since(shop.environment.now()) - MICRO);
    shop.slices.payments.expire_orders().await.unwrap();
    assert_eq!(states(&shop, order.order.id).await.0, OrderState::AwaitingPayment);
    shop.environment.advance(MICRO);
    shop.slices.payments.expire_orders().await.unwrap();
    assert_eq!(states(&shop, order.order.id).await.0, OrderState::Expired);
    assert!(shop.provider.calls().is_empty());
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn expiry_of_an_unknown_or_paid_order_changes_nothing() {
    let shop = TestPlatform::open().await;
    let paid = shop.paid_order(0).await.order.id;
    shop.environment.advance(Duration::from_secs(3_600));
    for order in [paid, new_id(&*shop.environment)] {
        shop.slices.payments.expire_order(shop.scope.organization, order).await.unwrap();
    }
    assert_eq!(states(&shop, paid).await.0, OrderState::Paid);
}

/// A backlog of overdue orders that never ends; their details are gone.
#[derive(Default)]
struct EndlessBacklog {
    pages: Mutex<Vec<(Option<OverdueOrder>, u32)>>,
}

#[async_trait]
impl PayableOrders for EndlessBacklog {
    async fn find(&self, _: OrganizationId, _: OrderId) -> StoreResult<Option<OrderDetail>> {
        Ok(None)
    }

    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        limit: u32,
    ) -> StoreResult<Vec<OverdueOrder>> {
        self.pages.lock().unwrap().push((after, limit));
        let nil = uuid::Uuid::nil();
        let first = after.map_or(0, |it| it.pay_by.micros() + 1);
        assert!(first < before.micros());
        let order = |at| OverdueOrder {
            organization: OrganizationId::from_uuid(nil),
            order: OrderId::from_uuid(nil),
            pay_by: Timestamp::from_micros(at),
        };
        Ok((first..first + i64::from(limit)).map(order).collect())
    }

    async fn close_unpaid(
        &self,
        _: OrganizationId,
        _: OrderId,
        _: OrderState,
        _: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        Ok(Err(Refusal::not_found()))
    }
}

#[tokio::test]
async fn one_round_reads_pages_one_after_the_other_up_to_its_limit() {
    let mut shop = TestPlatform::open().await;
    let backlog = Arc::new(EndlessBacklog::default());
    Arc::make_mut(&mut shop.slices.payments).orders = backlog.clone();
    assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), ORDERS_PER_ROUND_MAX);
    let pages = backlog.pages.lock().unwrap();
    assert_eq!(pages.len(), ORDERS_PER_ROUND_MAX / ORDERS_PER_PAGE as usize);
    assert!(pages.iter().all(|(_, limit)| *limit == ORDERS_PER_PAGE));
    let cursors: Vec<_> = pages.iter().map(|(after, _)| after.map(|it| it.pay_by.micros())).collect();
    let expected = |page: usize| (page > 0).then(|| page as i64 * i64::from(ORDERS_PER_PAGE) - 1);
    assert_eq!(cursors, (0..pages.len()).map(expected).collect::<Vec<_>>());
}
