//! Cases of unpaid orders: found when overdue, kept while they could be charged, closed together with their places (P2, P4).

use std::time::Duration;

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE, PaymentDecision};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceState;

use crate::sales_fixture::{PAID_PER_PLACE, PAY_WINDOW, SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

/// The list covers all organizations and has no paid orders.
pub async fn overdue_orders_are_found_oldest_first<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (first, _) = fixture.placed_order(&[1]).await;
    fixture.environment().advance(Duration::from_secs(1));
    fixture.paid_order(&[2]).await;
    let (second, _) = fixture.placed_order(&[3]).await;
    fixture.environment().advance(Duration::from_secs(1));
    fixture.placed_order(&[4]).await;
    let overdue = async |before, after, limit| fixture.store().overdue(before, after, limit).await.unwrap();
    let pay_by = fixture.read_order(second).await.order.pay_by;
    let found = overdue(pay_by, None, 10).await;
    assert_eq!(
        found.iter().map(|it| (it.organization, it.order)).collect::<Vec<_>>(),
        [(fixture.organization, first), (fixture.organization, second)]
    );
    assert_eq!(overdue(pay_by, None, 1).await, found[..1]);
    assert_eq!(overdue(pay_by, Some(found[0]), 1).await, found[1..], "the cursor moves past what stays overdue");
    assert_eq!(overdue(pay_by, Some(found[1]), 10).await, []);
    assert_eq!(overdue(fixture.environment().now(), None, 10).await, []);
}

/// An order is closed once, to the given state.
pub async fn closing_an_unpaid_order_frees_its_places<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let now = fixture.environment().now();
    for to in [OrderState::Expired, OrderState::Cancelled] {
        let (order, payment) = fixture.placed_order(&[1, 2]).await;
        assert_eq!(
            fixture.apply_observation(payment, Observation::Voided).await,
            PaymentDecision::Void { expire_order: false }
        );
        fixture.take_events().await;
        fixture.store().close_unpaid(fixture.organization, order, to, now).await.unwrap().unwrap();
        let detail = fixture.read_order(order).await;
        assert_eq!((detail.order.state, detail.order.version), (to, 3));
        let events = fixture.take_events().await;
        let [changed, OutboxEvent::PlacesChanged { claimed_by: None, effects, .. }] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert!(
            effects.len() == 2
                && effects.iter().all(|effect| effect.state == PlaceState::Free && effect.owner.is_none())
        );
        assert_eq!(*changed, OutboxEvent::OrderChanged { event: fixture.event, order, state: to });
        let again = fixture.store().close_unpaid(fixture.organization, order, to, now).await.unwrap();
        assert_code(again, Code::WrongState);
    }
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:free.4 2:free.4", "claimed, freed, claimed, freed");
    let (paid, ..) = fixture.paid_order(&[9]).await;
    assert_code(
        fixture.store().close_unpaid(fixture.organization, paid, OrderState::Expired, now).await.unwrap(),
        Code::WrongState,
    );
    let unknown = new_id(fixture.environment());
    assert_code(
        fixture.store().close_unpaid(fixture.organization, unknown, OrderState::Expired, now).await.unwrap(),
        Code::NotFound,
    );
    assert!(
        fixture
            .store()
            .close_unpaid(fixture.organization, fixture.placed_order(&[8]).await.0, OrderState::Paid, now)
            .await
            .is_err()
    );
}

/// No place is freed while it could still be charged for (P2).
pub async fn order_with_an_unresolved_attempt_is_not_closed<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    let now = fixture.environment().advance(PAY_WINDOW * 2);
    let close =
        async || fixture.store().close_unpaid(fixture.organization, order, OrderState::Expired, now).await.unwrap();
    for observation in [None, Some(Observation::Pending), Some(Observation::NoAnswer)] {
        if let Some(observation) = observation {
            fixture.apply_observation(payment, observation).await;
        }
        assert_code(close().await, Code::PaymentUnresolved);
        assert_eq!(fixture.place_states(&[1]).await, "1:claimed.1");
    }
    fixture.apply_observation(payment, Observation::Declined { reason: "no money".into() }).await;
    close().await.unwrap();
}

/// The order is overdue at once, and ends as cancelled instead of expired.
pub async fn cancellation_request_ends_the_order_as_cancelled<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    let now = fixture.environment().now();
    for _ in 0..2 {
        fixture.store().request_cancellation(fixture.organization, order, now).await.unwrap().unwrap();
    }
    let detail = fixture.read_order(order).await;
    assert_eq!((detail.order.state, detail.order.version), (OrderState::AwaitingPayment, 2));
    let overdue = fixture.store().overdue(now.minus(PAY_BY_GRACE), None, 9).await.unwrap();
    assert_eq!(overdue.iter().map(|it| it.order).collect::<Vec<_>>(), [order]);
    let another = fixture.new_attempt(PAID_PER_PLACE);
    assert_code(
        fixture.store().open_attempt(fixture.organization, order, another, None).await.unwrap(),
        Code::NotPayable,
    );
    assert_eq!(
        fixture.apply_observation(payment, Observation::Voided).await,
        PaymentDecision::Void { expire_order: true }
    );
    assert_eq!(fixture.states(order).await, (OrderState::Cancelled, vec![AttemptState::Voided]));
    assert_eq!(fixture.place_states(&[1]).await, "1:free.2");
    // The reconciler requests `Expired`; the cancellation of buyer or organizer has priority.
    let (declined, payment) = fixture.placed_order(&[2]).await;
    fixture.store().request_cancellation(fixture.organization, declined, now).await.unwrap().unwrap();
    fixture.apply_observation(payment, Observation::Declined { reason: "no".into() }).await;
    fixture.store().close_unpaid(fixture.organization, declined, OrderState::Expired, now).await.unwrap().unwrap();
    assert_eq!(fixture.states(declined).await.0, OrderState::Cancelled);
    // A capture after the cancellation request still pays the order.
    let (late, payment) = fixture.placed_order(&[3]).await;
    fixture.store().request_cancellation(fixture.organization, late, now).await.unwrap().unwrap();
    assert_eq!(fixture.capture(payment, PAID_PER_PLACE).await, PaymentDecision::Issue);
    for closed in [declined, late] {
        assert_code(
            fixture.store().request_cancellation(fixture.organization, closed, now).await.unwrap(),
            Code::WrongState,
        );
    }
}
