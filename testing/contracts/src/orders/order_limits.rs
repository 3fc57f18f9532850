//! Cases of counted orders: concurrent orders do not exceed a limit; closed unpaid orders and refunded places are not counted.

use voelgoed_app::checkout::order_limits::{CountLimit, CountedFor, UnpaidLimit};
use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::Created;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::limits::PLACES_PER_ADDRESS;

use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier, zar};
use crate::sut::Sut;

/// An order of a buyer with a limit of `max` places.
fn limited_order<S: SalesTier>(fixture: &SalesFixture<S>, places: &[u32], buyer: &str, max: u32) -> NewOrder {
    let limit = CountLimit {
        key: format!("places:{buyer}"),
        name: "places_per_session",
        count_max: max,
        detail: "No more.".into(),
    };
    let counted = CountedFor { buyers: vec![buyer.into()], ..CountedFor::default() };
    NewOrder { counted, limits: vec![limit], ..fixture.new_order(places) }
}

/// An order with a code that may be used `max` times.
fn order_with_code<S: SalesTier>(fixture: &SalesFixture<S>, place: u32, max: u32) -> NewOrder {
    let limit = CountLimit { key: "uses:rule".into(), name: "uses_max", count_max: max, detail: "Used up.".into() };
    let counted = CountedFor { uses: vec!["uses:rule".into()], ..CountedFor::default() };
    NewOrder { counted, limits: vec![limit], ..fixture.new_order(&[place]) }
}

async fn count<S: SalesTier>(fixture: &SalesFixture<S>, key: &str) -> u64 {
    let counts = fixture.store().counts(fixture.organization, fixture.event, vec![key.into()]).await.unwrap();
    counts.get(key).copied().unwrap_or(0)
}

/// The orders commit in one batch or in several transactions.
pub async fn concurrent_orders_do_not_exceed_a_limit<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let mut tasks = tokio::task::JoinSet::new();
    for place in 0..24 {
        let order = if place % 2 == 0 {
            limited_order(&fixture, &[place], "ann", 3)
        } else {
            order_with_code(&fixture, place, 5)
        };
        let (store, organization) = (fixture.store().clone(), fixture.organization);
        tasks.spawn(async move { (place % 2, store.place_order(organization, order).await.unwrap()) });
    }
    let mut placed = [0, 0];
    for (kind, answer) in tasks.join_all().await {
        match answer {
            Ok(Created::Fresh(())) => placed[kind as usize] += 1,
            Ok(Created::Replayed(body)) => panic!("{body:?}"),
            Err(refusal) => {
                let limit = refusal.evidence.limit.unwrap();
                let expected = [("places_per_session", 3), ("uses_max", 5)][kind as usize];
                assert_eq!((refusal.code, (limit.name, limit.most)), (Code::LimitReached, expected));
            }
        }
    }
    assert_eq!(placed, [3, 5]);
    assert_eq!((count(&fixture, "places:ann").await, count(&fixture, "uses:rule").await), (3, 5));
}

/// An order that reaches the limit exactly is accepted; one place more is refused and changes nothing.
pub async fn order_over_a_limit_is_refused_and_changes_nothing<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    fixture.place_order(&limited_order(&fixture, &[1, 2], "ann", 3)).await;
    assert_eq!(fixture.place_refused_order(&limited_order(&fixture, &[3, 4], "ann", 3)).await.code, Code::LimitReached);
    assert_eq!((fixture.place_states(&[3, 4]).await.as_str(), count(&fixture, "places:ann").await), ("", 2));
    fixture.place_order(&limited_order(&fixture, &[3], "ann", 3)).await;
    fixture.place_order(&limited_order(&fixture, &[4], "bea", 3)).await;
    assert_eq!((count(&fixture, "places:ann").await, count(&fixture, "places:bea").await), (3, 1));
}

/// Free, paid and closed orders are not counted; the orders commit in one batch and in several.
pub async fn unpaid_places_are_limited_per_address<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let from = |address: &str, places: &[u32]| NewOrder {
        unpaid_limit: Some(UnpaidLimit { address: address.into(), places_max: 4 }),
        ..fixture.new_order(places)
    };
    let mut tasks = tokio::task::JoinSet::new();
    for place in 0..12 {
        let (store, organization, order) = (fixture.store().clone(), fixture.organization, from("here", &[place]));
        let first = (order.id, order.attempt.as_ref().unwrap().id);
        tasks.spawn(async move { store.place_order(organization, order).await.unwrap().map(|_| first) });
    }
    let (placed, refused): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    for answer in refused {
        let limit = answer.unwrap_err().evidence.limit.unwrap();
        assert_eq!((limit.name, limit.most), (PLACES_PER_ADDRESS, 4));
    }
    let placed: Vec<_> = placed.into_iter().map(Result::unwrap).collect();
    assert_eq!(placed.len(), 4);
    fixture.place_order(&from("there", &[20, 21, 22, 23])).await;
    assert_eq!(fixture.place_refused_order(&from("there", &[24])).await.code, Code::LimitReached);
    fixture.place_order(&NewOrder { unpaid_limit: None, ..fixture.new_free_order(&[30]) }).await;
    assert_eq!(fixture.place_refused_order(&from("here", &[31])).await.code, Code::LimitReached);
    // One is paid, one is cancelled.
    fixture
        .apply_observation(
            placed[0].1,
            Observation::Captured { amount: zar(PAID_PER_PLACE), provider_ref: "ref 1".into() },
        )
        .await;
    fixture.apply_observation(placed[1].1, Observation::Voided).await;
    let now = fixture.environment().now();
    fixture.store().close_unpaid(fixture.organization, placed[1].0, OrderState::Cancelled, now).await.unwrap().unwrap();
    assert_eq!(fixture.place_refused_order(&from("here", &[31, 32, 33])).await.code, Code::LimitReached);
    fixture.place_order(&from("here", &[31, 32])).await;
}

/// Cancelled and expired orders alike.
pub async fn closed_unpaid_order_is_not_counted<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    for (to, place) in [(OrderState::Expired, 1), (OrderState::Cancelled, 2)] {
        let order = limited_order(&fixture, &[place], "ann", 1);
        let by_code = order_with_code(&fixture, place + 10, 1);
        for order in [order, by_code] {
            fixture.place_order(&order).await;
            fixture.apply_observation(order.attempt.unwrap().id, Observation::Voided).await;
            let now = fixture.environment().now();
            fixture.store().close_unpaid(fixture.organization, order.id, to, now).await.unwrap().unwrap();
        }
        assert_eq!((count(&fixture, "places:ann").await, count(&fixture, "uses:rule").await), (0, 0));
    }
}

/// Its place is not counted any more; the use of its code still is.
pub async fn refunded_ticket_is_not_counted<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let mut order = limited_order(&fixture, &[1, 2], "ann", 2);
    order.counted.uses.push("uses:rule".into());
    fixture.place_order(&order).await;
    let payment = order.attempt.clone().unwrap().id;
    fixture.capture(payment, 2 * PAID_PER_PLACE).await;
    let tickets = fixture.read_order(order.id).await.tickets;
    let refund = fixture.new_refund(order.id, payment, PAID_PER_PLACE, &tickets[..1]);
    fixture.store().open_refund(fixture.organization, refund.clone(), None).await.unwrap().unwrap();
    assert_eq!(count(&fixture, "places:ann").await, 2, "not revoked yet");
    for _ in 0..2 {
        let now = fixture.environment().now();
        fixture.store().finish_revocation(fixture.organization, refund.id, now).await.unwrap();
    }
    assert_eq!((count(&fixture, "places:ann").await, count(&fixture, "uses:rule").await), (1, 1));
    let again = NewOrder { id: new_id(fixture.environment()), ..limited_order(&fixture, &[3], "ann", 2) };
    fixture.place_order(&again).await;
}
