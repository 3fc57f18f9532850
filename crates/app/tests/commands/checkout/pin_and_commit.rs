//! Places orders whose commit is refused or unanswered: the pin is released or kept until it expires, and lost places of a field are replaced by others.

use std::sync::Arc;

use std::time::Duration;

use voelgoed_app::checkout::ports::{OrderDetail, OrderLine};
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::CommandError;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::hold::HoldPhase;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::platform::TestPlatform;

use super::faulty_orders::{FaultyOrders, OrderFault};
use crate::support::{code, created, hold, limit, place_state, places, places_of_area, refusal, seat};

/// How often other places of a field are tried.
const SUBSTITUTIONS_MAX: usize = 3;

fn with_faults(shop: &mut TestPlatform, faults: &[OrderFault]) -> std::sync::Arc<FaultyOrders> {
    let faulty = FaultyOrders::new(shop.slices.checkout.orders.clone(), faults.iter().copied());
    Arc::make_mut(&mut shop.slices.checkout).orders = faulty.clone();
    faulty
}

async fn phase(shop: &TestPlatform, hold: HoldId) -> HoldPhase {
    shop.slices.ticketing.inventory.read_hold(shop.scope, hold).await.unwrap().phase
}

/// Blocks places in cold; warm does not know before the relay ran.
async fn block_in_cold(shop: &TestPlatform, places: &[u32]) {
    let places = places.iter().copied().map(PlaceNumber).collect();
    let block = Block { id: shop.environment.uuid(), places, reason: "for the band".into() };
    shop.slices.ticketing.places.block(shop.scope.organization, shop.scope.event, block, None).await.unwrap().unwrap();
}

fn ordered(detail: &OrderDetail) -> Vec<u32> {
    detail.lines.iter().map(|line: &OrderLine| line.place.0).collect()
}

#[tokio::test]
async fn hold_is_pinned_while_its_order_is_written_and_its_end_stays() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let order = created(shop.order(held.id).await);
    assert!(matches!(phase(&shop, held.id).await, HoldPhase::Pinned { .. }));
    let extension = shop.slices.context.times.payment_extension;
    assert_eq!(order.order.pay_by, held.record.expires_at.plus(extension));
    shop.relay().await;
    assert_eq!(phase(&shop, held.id).await, HoldPhase::Claimed { order: order.order.id });
}

#[tokio::test]
async fn hold_of_a_refused_order_can_be_changed_at_once() {
    let mut shop = TestPlatform::open().await;
    with_faults(&mut shop, &[OrderFault::Refused(Code::LimitReached)]);
    let held = shop.hold_seat(0).await;
    assert_eq!(code(shop.order(held).await), Code::LimitReached);
    assert_eq!(phase(&shop, held).await, HoldPhase::Active);
    let change = ChangeHold {
        scope: shop.scope,
        hold: held,
        add: vec![seat(&shop, 3)],
        remove: vec![],
        code: None,
        repeatable: None,
    };
    shop.slices.ticketing.change_hold(change).await.unwrap();
    created(shop.order(held).await);
}

#[tokio::test]
async fn hold_whose_order_exists_already_or_has_no_answer_stays_pinned() {
    for fault in [
        OrderFault::Refused(Code::AlreadyOrdered),
        OrderFault::Refused(Code::IdempotencyMismatch),
        OrderFault::Ambiguous,
    ] {
        let mut shop = TestPlatform::open().await;
        with_faults(&mut shop, &[fault]);
        let held = shop.hold_seat(0).await;
        let ended = shop.order(held).await.map(drop);
        match fault {
            OrderFault::Refused(expected) => assert_eq!(code(ended), expected),
            _ => assert!(matches!(ended, Err(CommandError::Fault(_))), "{ended:?}"),
        }
        assert!(matches!(phase(&shop, held).await, HoldPhase::Pinned { .. }), "{fault:?}");
        created(shop.order(held).await);
    }
}

#[tokio::test]
async fn seat_that_cold_gave_to_others_is_refused_and_shown_as_taken_at_once() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0), seat(&shop, 3)]).await.unwrap();
    block_in_cold(&shop, &[3]).await;
    let refused = refusal(shop.order(held.id).await);
    assert_eq!((refused.code, refused.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(3)]));
    let snapshot = shop.slices.ticketing.inventory.snapshot(shop.scope).await.unwrap();
    assert_eq!(snapshot.places[3], voelgoed_domain::ticketing::place::DisplayState::Blocked);
}

#[tokio::test]
async fn places_of_a_field_that_cold_gave_to_others_are_replaced() {
    for relayed in [false, true] {
        let shop = TestPlatform::open().await;
        let items = vec![seat(&shop, 0), places_of_area(&shop, 1, 2).await];
        let held = hold(&shop, items).await.unwrap();
        assert_eq!(places(&held), [0, 4, 5]);
        block_in_cold(&shop, &[4, 5]).await;
        if relayed {
            // Then it is the pin that is refused.
            shop.relay().await;
        }
        let order = created(shop.order(held.id).await);
        assert_eq!(ordered(&order), [0, 6, 7], "relayed: {relayed}");
        assert_eq!(order.order.total, held.terms.terms.total(), "for the same price");
        assert_eq!(place_state(&shop, 6).await, PlaceState::Claimed);
    }
}

#[tokio::test]
async fn order_tries_3_times_to_replace_places_of_a_field() {
    let mut shop = TestPlatform::open().await;
    let items = vec![places_of_area(&shop, 1, 2).await];
    let faulty = with_faults(&mut shop, &[OrderFault::PlacesTaken; SUBSTITUTIONS_MAX]);
    let held = hold(&shop, items.clone()).await.unwrap();
    created(shop.order(held.id).await);
    faulty.faults.lock().unwrap().extend([OrderFault::PlacesTaken; SUBSTITUTIONS_MAX + 1]);
    let held = hold(&shop, items).await.unwrap();
    assert_eq!(code(shop.order_as(held.id, "other", "bea@example.org", Some("ok")).await), Code::SoldOut);
    assert!(faulty.faults.lock().unwrap().is_empty());
}

#[tokio::test]
async fn field_without_other_places_refuses_the_order() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![places_of_area(&shop, 1, 6).await]).await.unwrap();
    hold(&shop, vec![places_of_area(&shop, 1, 4).await]).await.unwrap();
    block_in_cold(&shop, &[4]).await;
    assert_eq!(code(shop.order(held.id).await), Code::SoldOut);
}

#[tokio::test]
async fn order_for_nothing_is_paid_at_once_with_its_tickets() {
    let shop = TestPlatform::builder()
        .event(|event| event.fees.per_ticket = 0)
        .ticket_type(|it| it.price.amount = 0)
        .open()
        .await;
    let held = hold(&shop, vec![seat(&shop, 3), seat(&shop, 0)]).await.unwrap();
    let order = created(shop.order_as(held.id, "once", "ann@example.org", None).await);
    assert_eq!((order.order.state, order.order.paid_at), (OrderState::Paid, Some(shop.environment.now())));
    assert!(order.attempts.is_empty());
    assert_eq!(
        order.tickets.iter().map(|it| (it.place.0, it.state)).collect::<Vec<_>>(),
        [(3, TicketState::Valid), (0, TicketState::Valid)]
    );
    let stored = shop.slices.checkout.read_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!(stored, order, "the answer is what cold has");
    assert_eq!(place_state(&shop, 0).await, PlaceState::Sold);
}

#[tokio::test]
async fn answer_to_an_order_equals_the_stored_order() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 3), seat(&shop, 0), places_of_area(&shop, 1, 2).await]).await.unwrap();
    let order = created(shop.order(held.id).await);
    let stored = shop.slices.checkout.read_order(shop.scope.organization, order.order.id).await.unwrap();
    assert_eq!(stored, order);
    assert_eq!(order.lines.len(), 4);
    let sum: i64 = order.lines.iter().map(|line| line.price + line.fee).sum();
    assert_eq!(order.order.total.amount, sum, "tax is included in the prices");
}

#[tokio::test]
async fn order_with_less_than_5_seconds_to_pay_is_refused_as_expired() {
    let times = voelgoed_app::context::SaleTimes { payment_extension: Duration::from_secs(1), ..Default::default() };
    for (left, valid) in [(Duration::from_secs(4), true), (Duration::from_micros(3_999_999), false)] {
        let shop = TestPlatform::builder().times(times).open().await;
        let held = shop.hold_seat(0).await;
        shop.environment.advance(times.hold - left);
        let ordered = shop.order(held).await;
        match valid {
            true => drop(created(ordered)),
            false => {
                assert_eq!(code(ordered), Code::HoldExpired);
                assert_eq!(phase(&shop, held).await, HoldPhase::Active);
            }
        }
    }
}

#[tokio::test]
async fn order_of_expired_tickets_is_refused() {
    let shop = TestPlatform::builder()
        .event(|event| event.admission.admits_until = Some(event.sale.opens_at.plus(Duration::from_secs(500))))
        .open()
        .await;
    let (first, second) = (shop.hold_seat(0).await, shop.hold_seat(3).await);
    shop.environment.advance(Duration::from_secs(500) - Duration::from_micros(1));
    created(shop.order(first).await);
    shop.environment.advance(Duration::from_micros(1));
    assert_eq!(code(shop.order_with_key(second, "late").await), Code::SaleClosed);
}

#[tokio::test]
async fn client_address_has_a_limited_number_of_unpaid_places() {
    let most = PlacesPerAddress { places_max: 2, share_max: 0.0 };
    let shop = TestPlatform::builder().places_per_address(most).open().await;
    let address = Some([192, 0, 2, 1].into());
    let order = async |place: u32, email: &str| {
        let held = shop.hold_seat(place).await;
        shop.order_from(held, "once", email, Some("ok"), address).await
    };
    let first = created(order(0, "a@example.org").await);
    created(order(1, "b@example.org").await);
    assert_eq!(limit(order(2, "c@example.org").await), (Code::LimitReached, "places_per_address_max", 2));
    shop.slices.payments.send_attempt(shop.scope.organization, first.attempts[0].id).await.unwrap();
    created(order(3, "d@example.org").await);
}

#[tokio::test]
async fn buyer_needs_a_name_and_an_address() {
    let shop = TestPlatform::open().await;
    let held = shop.hold_seat(0).await;
    let refused = refusal(shop.order_as(held, "once", "not an address", Some("ok")).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("buyer.email")));
    let order = created(shop.order_as(held, "once", " Ann@Example.org ", Some("ok")).await);
    assert_eq!(order.order.buyer.email, "Ann@example.org", "stored as addresses are compared");
}
