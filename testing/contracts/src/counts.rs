//! What `OrderStore` promises of counts over orders: no race passes a limit, and what ends unpaid or is given back counts no more.

use voelgoed_app::checkout::counted::{CountLimit, CountedFor, UnpaidLimit};
use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::Created;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::limits::PLACES_PER_ADDRESS;

use crate::selling::{PAID, Shop, Tier, zar};
use crate::subject::Subject;

/// An order of a buyer who may have `most` places.
fn limited<S: Tier>(shop: &Shop<S>, places: &[u32], buyer: &str, most: u32) -> NewOrder {
    let limit =
        CountLimit { counted: format!("places:{buyer}"), name: "places_per_session", most, detail: "No more.".into() };
    let counted = CountedFor { buyers: vec![buyer.into()], ..CountedFor::default() };
    NewOrder { counted, limits: vec![limit], ..shop.an_order(places) }
}

/// An order by a code that may be used `most` times.
fn by_code<S: Tier>(shop: &Shop<S>, place: u32, most: u32) -> NewOrder {
    let limit = CountLimit { counted: "uses:rule".into(), name: "uses_max", most, detail: "Used up.".into() };
    let counted = CountedFor { uses: vec!["uses:rule".into()], ..CountedFor::default() };
    NewOrder { counted, limits: vec![limit], ..shop.an_order(&[place]) }
}

async fn count<S: Tier>(shop: &Shop<S>, key: &str) -> u64 {
    let counts = shop.store().counts(shop.organization, shop.event, vec![key.into()]).await.unwrap();
    counts.get(key).copied().unwrap_or(0)
}

/// Whether in one batch or in several transactions side by side.
pub async fn parallel_orders_do_not_pass_a_limit<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let mut tasks = tokio::task::JoinSet::new();
    for place in 0..24 {
        let order = if place % 2 == 0 { limited(&shop, &[place], "ann", 3) } else { by_code(&shop, place, 5) };
        let (store, organization) = (shop.store().clone(), shop.organization);
        tasks.spawn(async move { (place % 2, store.place_order(organization, order).await.unwrap()) });
    }
    let mut made = [0, 0];
    for (kind, answer) in tasks.join_all().await {
        match answer {
            Ok(Created::Fresh(())) => made[kind as usize] += 1,
            Ok(Created::Replayed(body)) => panic!("{body:?}"),
            Err(refusal) => {
                let limit = refusal.evidence.limit.unwrap();
                let expected = [("places_per_session", 3), ("uses_max", 5)][kind as usize];
                assert_eq!((refusal.code, (limit.name, limit.most)), (Code::LimitReached, expected));
            }
        }
    }
    assert_eq!(made, [3, 5]);
    assert_eq!((count(&shop, "places:ann").await, count(&shop, "uses:rule").await), (3, 5));
}

/// The edge: exactly the limit fits, one place more does not, and changes nothing.
pub async fn an_order_over_a_limit_changes_nothing<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    shop.place(&limited(&shop, &[1, 2], "ann", 3)).await;
    assert_eq!(shop.refused(&limited(&shop, &[3, 4], "ann", 3)).await.code, Code::LimitReached);
    assert_eq!((shop.places(&[3, 4]).await.as_str(), count(&shop, "places:ann").await), ("", 2));
    shop.place(&limited(&shop, &[3], "ann", 3)).await;
    shop.place(&limited(&shop, &[4], "bea", 3)).await;
    assert_eq!((count(&shop, "places:ann").await, count(&shop, "places:bea").await), (3, 1));
}

/// By its client address, in one batch and beside others; a free order, a paid one, and one that has ended leave room.
pub async fn places_that_wait_for_a_payment_are_limited_by_address<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let from = |address: &str, places: &[u32]| NewOrder {
        unpaid_at: Some(UnpaidLimit { address: address.into(), most: 4 }),
        ..shop.an_order(places)
    };
    let mut tasks = tokio::task::JoinSet::new();
    for place in 0..12 {
        let (store, organization, order) = (shop.store().clone(), shop.organization, from("here", &[place]));
        let first = (order.id, order.attempt.as_ref().unwrap().id);
        tasks.spawn(async move { store.place_order(organization, order).await.unwrap().map(|_| first) });
    }
    let (made, refused): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    for answer in refused {
        let limit = answer.unwrap_err().evidence.limit.unwrap();
        assert_eq!((limit.name, limit.most), (PLACES_PER_ADDRESS, 4));
    }
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.len(), 4);
    shop.place(&from("there", &[20, 21, 22, 23])).await;
    assert_eq!(shop.refused(&from("there", &[24])).await.code, Code::LimitReached);
    shop.place(&NewOrder { unpaid_at: None, ..shop.a_free_order(&[30]) }).await;
    assert_eq!(shop.refused(&from("here", &[31])).await.code, Code::LimitReached);
    // One is paid, one is cancelled.
    shop.learn(made[0].1, Observation::Captured { amount: zar(PAID), provider_ref: "ref 1".into() }).await;
    shop.learn(made[1].1, Observation::Voided).await;
    let now = shop.environment().now();
    shop.store().close_unpaid(shop.organization, made[1].0, OrderState::Cancelled, now).await.unwrap().unwrap();
    assert_eq!(shop.refused(&from("here", &[31, 32, 33])).await.code, Code::LimitReached);
    shop.place(&from("here", &[31, 32])).await;
}

/// Cancelled or expired unpaid.
pub async fn an_order_that_ends_unpaid_counts_no_more<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    for (to, place) in [(OrderState::Expired, 1), (OrderState::Cancelled, 2)] {
        let order = limited(&shop, &[place], "ann", 1);
        let by_code = by_code(&shop, place + 10, 1);
        for order in [order, by_code] {
            shop.place(&order).await;
            shop.learn(order.attempt.unwrap().id, Observation::Voided).await;
            let now = shop.environment().now();
            shop.store().close_unpaid(shop.organization, order.id, to, now).await.unwrap().unwrap();
        }
        assert_eq!((count(&shop, "places:ann").await, count(&shop, "uses:rule").await), (0, 0));
    }
}

/// Its places do; the code stays used.
pub async fn a_refunded_ticket_counts_no_more<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let mut order = limited(&shop, &[1, 2], "ann", 2);
    order.counted.uses.push("uses:rule".into());
    shop.place(&order).await;
    let payment = order.attempt.clone().unwrap().id;
    shop.captured(payment, 2 * PAID).await;
    let tickets = shop.detail(order.id).await.tickets;
    let refund = shop.a_refund(order.id, payment, PAID, &tickets[..1]);
    shop.store().open_refund(shop.organization, refund.clone(), None).await.unwrap().unwrap();
    assert_eq!(count(&shop, "places:ann").await, 2, "not given back yet");
    for _ in 0..2 {
        let now = shop.environment().now();
        shop.store().finish_revocation(shop.organization, refund.id, now).await.unwrap();
    }
    assert_eq!((count(&shop, "places:ann").await, count(&shop, "uses:rule").await), (1, 1));
    let again = NewOrder { id: fresh(shop.environment()), ..limited(&shop, &[3], "ann", 2) };
    shop.place(&again).await;
}
