//! What `PaymentStore` promises of money that comes too late, or not as asked: kept apart, then the places anew or back (P2, P5).

use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::jobs::ports::Queue;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Decision, LateWhy};

use crate::payments::{captured, declined};
use crate::selling::{PAID, Shop, Tier, zar};
use crate::subject::Subject;

/// Money that the order cannot use is written down, owed, and a job settles it; the order is as it was.
pub async fn late_money_is_kept_apart<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let closed = shop.ordered(&[1]).await;
    shop.learn(closed.1, declined()).await;
    let now = shop.environment().now();
    shop.store().close_unpaid(shop.organization, closed.0, OrderState::Expired, now).await.unwrap().unwrap();
    let paid_before = shop.ordered(&[2]).await;
    shop.learn(paid_before.1, declined()).await;
    let second = shop.an_attempt(PAID);
    let paid_again = (paid_before.0, second.id);
    shop.store().open_attempt(shop.organization, paid_before.0, second, None).await.unwrap().unwrap();
    assert_eq!(shop.captured(paid_again.1, PAID).await, Decision::Issue);
    let (more, less, other) = (shop.ordered(&[3]).await, shop.ordered(&[4]).await, shop.ordered(&[5]).await);
    let euros = Money::new(PAID, Currency::EUR);
    let mut jobs = 0;
    for ((order, payment), amount, why) in [
        (closed, zar(PAID), LateWhy::OrderClosed),
        (paid_before, zar(PAID), LateWhy::AlreadyPaid),
        (more, zar(PAID + 1), LateWhy::AmountDiffers),
        (less, zar(PAID - 1), LateWhy::AmountDiffers),
        (other, euros, LateWhy::CurrencyDiffers),
    ] {
        let before = shop.detail(order).await;
        assert_eq!(shop.learn(payment, captured(amount)).await, Decision::CapturedLate { why });
        assert_eq!(shop.learn(payment, captured(amount)).await, Decision::Nothing, "once");
        let after = shop.detail(order).await;
        assert_eq!((after.order.state, after.tickets), (before.order.state, before.tickets), "{why}");
        let attempt = shop.store().read_attempt(shop.organization, payment).await.unwrap().unwrap();
        assert_eq!((attempt.state, attempt.reason.as_deref()), (AttemptState::CapturedLate, Some(why.as_str())));
        jobs += 1;
        assert_eq!(shop.store().depth(Queue::Payments, now).await.unwrap().ready, jobs);
    }
    shop.balances().await;
    let balances = shop.store().balances(shop.organization).await.unwrap();
    let owed: Vec<_> =
        balances.iter().filter(|it| it.account == "late_captures").map(|it| (it.currency, it.amount)).collect();
    assert_eq!(owed, [(Currency::EUR, -PAID), (Currency::ZAR, -4 * PAID)]);
}

/// An order that expired, and money that came all the same.
async fn late<S: Tier>(shop: &Shop<S>, places: &[u32]) -> (OrderId, PaymentId) {
    let (order, payment) = shop.ordered(places).await;
    shop.learn(payment, declined()).await;
    let now = shop.environment().now();
    shop.store().close_unpaid(shop.organization, order, OrderState::Expired, now).await.unwrap().unwrap();
    let amount = PAID * i64::try_from(places.len()).unwrap();
    assert!(matches!(shop.captured(payment, amount).await, Decision::CapturedLate { .. }));
    (order, payment)
}

/// All places in one commit, as if it had been paid in time.
pub async fn late_money_buys_the_places_anew<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = late(&shop, &[1, 2]).await;
    shop.facts().await;
    let now = shop.environment().advance(Duration::from_secs(60));
    let reissue = async || shop.store().reissue(shop.organization, payment, now).await.unwrap();
    assert!(!shop.store().reissue(shop.stranger, payment, now).await.unwrap());
    assert!(reissue().await);
    let detail = shop.detail(order).await;
    assert_eq!((detail.order.state, detail.order.paid_at, detail.tickets.len()), (OrderState::Paid, Some(now), 2));
    assert_eq!((detail.attempts[0].state, &detail.attempts[0].reason), (AttemptState::Captured, &None));
    assert_eq!(shop.places(&[1, 2]).await, "1:sold.3 2:sold.3");
    assert!(!shop.balances().await.contains_key("late_captures"));
    let facts = shop.facts().await;
    assert!(
        matches!(
            facts.as_slice(),
            [OutboxEvent::OrderChanged { state: OrderState::Paid, .. }, OutboxEvent::PlacesChanged { .. }]
        ),
        "{facts:?}"
    );
    assert!(reissue().await, "it has happened");
    assert_eq!((shop.detail(order).await.tickets.len(), shop.facts().await), (2, vec![]));
}

/// One place gone, or the order given up, or the wrong amount: nothing happens.
pub async fn late_money_buys_nothing_that_is_gone<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let now = shop.environment().now();
    let (order, payment) = late(&shop, &[1, 2]).await;
    shop.ordered(&[2]).await;
    assert!(!shop.store().reissue(shop.organization, payment, now).await.unwrap());
    assert_eq!((shop.states(order).await.0, shop.places(&[1]).await), (OrderState::Expired, "1:free.2".to_owned()));
    let (cancelled, payment) = shop.ordered(&[5]).await;
    shop.learn(payment, declined()).await;
    shop.store().close_unpaid(shop.organization, cancelled, OrderState::Cancelled, now).await.unwrap().unwrap();
    shop.captured(payment, PAID).await;
    assert!(!shop.store().reissue(shop.organization, payment, now).await.unwrap());
    let (_, returned) = late(&shop, &[6]).await;
    let order = shop.store().read_attempt(shop.organization, returned).await.unwrap().unwrap().order;
    let refund = shop.a_refund(order, returned, PAID, &[]);
    shop.store().open_refund(shop.organization, refund, None).await.unwrap().unwrap();
    assert!(!shop.store().reissue(shop.organization, returned, now).await.unwrap(), "the money is on its way back");
    let (_, open) = shop.ordered(&[7]).await;
    assert!(!shop.store().reissue(shop.organization, open, now).await.unwrap());
    assert!(!shop.store().reissue(shop.organization, fresh(shop.environment()), now).await.unwrap());
    assert_eq!(shop.places(&[5, 6]).await, "5:free.2 6:free.2");
}

/// Two attempts of one order captured late: one buys the places anew, the other cannot and goes back whole.
pub async fn late_money_twice_buys_the_places_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, first) = shop.ordered(&[1]).await;
    shop.learn(first, declined()).await;
    let second = shop.an_attempt(PAID);
    shop.store().open_attempt(shop.organization, order, second.clone(), None).await.unwrap().unwrap();
    shop.learn(second.id, declined()).await;
    let now = shop.environment().now();
    shop.store().close_unpaid(shop.organization, order, OrderState::Expired, now).await.unwrap().unwrap();
    for payment in [first, second.id] {
        let late = Decision::CapturedLate { why: LateWhy::OrderClosed };
        assert_eq!(shop.captured(payment, PAID).await, late);
    }
    assert!(shop.store().reissue(shop.organization, second.id, now).await.unwrap());
    assert!(!shop.store().reissue(shop.organization, first, now).await.unwrap(), "the order is paid");
    assert!(shop.store().reissue(shop.organization, second.id, now).await.unwrap(), "a repeat finds it done");
    let states = shop.states(order).await;
    assert_eq!(states, (OrderState::Paid, vec![AttemptState::CapturedLate, AttemptState::Captured]));
    assert_eq!((shop.detail(order).await.tickets.len(), shop.places(&[1]).await), (1, "1:sold.3".to_owned()));
    let refund = shop.a_refund(order, first, PAID, &[]);
    shop.store().open_refund(shop.organization, refund.clone(), None).await.unwrap().unwrap();
    let done = RefundObservation::Done { provider_ref: "back".into() };
    shop.store().record_refund(shop.organization, refund.id, done, now).await.unwrap();
    assert_eq!(shop.states(order).await.0, OrderState::Paid, "it was never the order's money");
    assert_eq!(shop.balances().await["provider_clearing:sandbox"], PAID);
}
