//! What `OrderStore` promises of orders that nobody pays: found, kept while money could come, closed with their places (P2, P4).

use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Decision, Observation, PAY_BY_GRACE};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceState;

use crate::selling::{PAID, Shop, TO_PAY, Tier, assert_code};
use crate::subject::Subject;

/// Those that still wait past their time, of all organizations.
pub async fn overdue_orders_are_found_oldest_first<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (first, _) = shop.ordered(&[1]).await;
    shop.environment().advance(Duration::from_secs(1));
    shop.paid(&[2]).await;
    let (second, _) = shop.ordered(&[3]).await;
    shop.environment().advance(Duration::from_secs(1));
    shop.ordered(&[4]).await;
    let overdue = async |before, after, most| shop.store().overdue(before, after, most).await.unwrap();
    let pay_by = shop.detail(second).await.order.pay_by;
    let found = overdue(pay_by, None, 10).await;
    assert_eq!(
        found.iter().map(|it| (it.organization, it.order)).collect::<Vec<_>>(),
        [(shop.organization, first), (shop.organization, second)]
    );
    assert_eq!(overdue(pay_by, None, 1).await, found[..1]);
    assert_eq!(overdue(pay_by, Some(found[0]), 1).await, found[1..], "the cursor moves past what stays overdue");
    assert_eq!(overdue(pay_by, Some(found[1]), 10).await, []);
    assert_eq!(overdue(shop.environment().now(), None, 10).await, []);
}

/// Once, to the state that is named, with its places.
pub async fn an_unpaid_order_is_closed_and_its_places_are_free<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let now = shop.environment().now();
    for to in [OrderState::Expired, OrderState::Cancelled] {
        let (order, payment) = shop.ordered(&[1, 2]).await;
        assert_eq!(shop.learn(payment, Observation::Voided).await, Decision::Void { expire_order: false });
        shop.facts().await;
        shop.store().close_unpaid(shop.organization, order, to, now).await.unwrap().unwrap();
        let detail = shop.detail(order).await;
        assert_eq!((detail.order.state, detail.order.version), (to, 3));
        let facts = shop.facts().await;
        let [changed, OutboxEvent::PlacesChanged { claimed_by: None, effects, .. }] = facts.as_slice() else {
            panic!("{facts:?}")
        };
        assert!(
            effects.len() == 2
                && effects.iter().all(|effect| effect.state == PlaceState::Free && effect.owner.is_none())
        );
        assert_eq!(*changed, OutboxEvent::OrderChanged { event: shop.event, order, state: to });
        let again = shop.store().close_unpaid(shop.organization, order, to, now).await.unwrap();
        assert_code(again, Code::WrongState);
    }
    assert_eq!(shop.places(&[1, 2]).await, "1:free.4 2:free.4", "claimed, freed, claimed, freed");
    let (paid, ..) = shop.paid(&[9]).await;
    assert_code(
        shop.store().close_unpaid(shop.organization, paid, OrderState::Expired, now).await.unwrap(),
        Code::WrongState,
    );
    let nobody = fresh(shop.environment());
    assert_code(
        shop.store().close_unpaid(shop.organization, nobody, OrderState::Expired, now).await.unwrap(),
        Code::NotFound,
    );
    assert!(
        shop.store().close_unpaid(shop.organization, shop.ordered(&[8]).await.0, OrderState::Paid, now).await.is_err()
    );
}

/// No place goes while money could still be taken for it (P2).
pub async fn an_unresolved_attempt_keeps_the_order_open<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    let now = shop.environment().advance(TO_PAY * 2);
    let close = async || shop.store().close_unpaid(shop.organization, order, OrderState::Expired, now).await.unwrap();
    for seen in [None, Some(Observation::Pending), Some(Observation::NoAnswer)] {
        if let Some(seen) = seen {
            shop.learn(payment, seen).await;
        }
        assert_code(close().await, Code::PaymentUnresolved);
        assert_eq!(shop.places(&[1]).await, "1:claimed.1");
    }
    shop.learn(payment, Observation::Declined { reason: "no money".into() }).await;
    close().await.unwrap();
}

/// Its time is over at once, and the end has its own name.
pub async fn an_order_that_is_cut_short_ends_as_cancelled<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    let now = shop.environment().now();
    for _ in 0..2 {
        shop.store().cut_short(shop.organization, order, now).await.unwrap().unwrap();
    }
    let detail = shop.detail(order).await;
    assert_eq!((detail.order.state, detail.order.version), (OrderState::AwaitingPayment, 2));
    let overdue = shop.store().overdue(now.minus(PAY_BY_GRACE), None, 9).await.unwrap();
    assert_eq!(overdue.iter().map(|it| it.order).collect::<Vec<_>>(), [order]);
    let another = shop.an_attempt(PAID);
    assert_code(shop.store().open_attempt(shop.organization, order, another, None).await.unwrap(), Code::NotPayable);
    assert_eq!(shop.learn(payment, Observation::Voided).await, Decision::Void { expire_order: true });
    assert_eq!(shop.states(order).await, (OrderState::Cancelled, vec![AttemptState::Voided]));
    assert_eq!(shop.places(&[1]).await, "1:free.2");
    // The reconciler that closes by itself says expired; the wish of buyer or organizer prevails.
    let (declined, payment) = shop.ordered(&[2]).await;
    shop.store().cut_short(shop.organization, declined, now).await.unwrap().unwrap();
    shop.learn(payment, Observation::Declined { reason: "no".into() }).await;
    shop.store().close_unpaid(shop.organization, declined, OrderState::Expired, now).await.unwrap().unwrap();
    assert_eq!(shop.states(declined).await.0, OrderState::Cancelled);
    // Who pays in the last moment has paid.
    let (late, payment) = shop.ordered(&[3]).await;
    shop.store().cut_short(shop.organization, late, now).await.unwrap().unwrap();
    assert_eq!(shop.captured(payment, PAID).await, Decision::Issue);
    for over in [declined, late] {
        assert_code(shop.store().cut_short(shop.organization, over, now).await.unwrap(), Code::WrongState);
    }
}
