//! Settles captures that came too late: the order is reissued where all of its places are free, else the money goes back once (P2).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::jobs::ports::{JobStore, Queue};
use voelgoed_app::payments::apply_observation::{UNMATCHED_CAPTURE, UnmatchedCapture};
use voelgoed_app::payments::ports::{Refund, SoldPlaces};
use voelgoed_app::ticketing::ports::{Block, EventScope};
use voelgoed_contracts::catalog_fixtures::{expect_created, new_ticket_type};
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{HoldId, PaymentId, TicketId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{PaymentDecision, UnmatchedReason};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::platform::TestPlatform;

use super::order_states::{declined_order, expire, pay_again, read};
use crate::support::{captured, code, created, hold, place_state, seat, states};

/// The capture of an attempt that must come too late.
async fn capture_late(
    shop: &TestPlatform,
    payment: PaymentId,
    amount: Money,
    expected: UnmatchedReason,
) -> UnmatchedCapture {
    let organization = shop.scope.organization;
    let decision = shop.slices.payments.apply_observation(organization, payment, captured(amount)).await.unwrap();
    assert_eq!(decision, PaymentDecision::CapturedUnmatched { why: expected });
    UnmatchedCapture { payment, captured: amount }
}

async fn settle(shop: &TestPlatform, late: &UnmatchedCapture) -> CommandResult<()> {
    shop.slices.payments.settle_unmatched_capture(shop.scope.organization, late.clone()).await
}

/// An expired order of these seats whose money was captured afterwards.
async fn late_order(shop: &TestPlatform, seats: &[u32]) -> (OrderDetail, UnmatchedCapture) {
    let held = hold(shop, seats.iter().map(|place| seat(shop, *place)).collect()).await.unwrap();
    let order = expire(shop, created(shop.order(held.id).await)).await;
    let late = capture_late(shop, order.attempts[0].id, order.order.total, UnmatchedReason::OrderClosed).await;
    (order, late)
}

/// The one refund of an order: its amount and its reason.
async fn only_refund(shop: &TestPlatform, order: &OrderDetail) -> Refund {
    let refunds = read(shop, order.order.id).await.refunds;
    assert_eq!(refunds.len(), 1, "{refunds:?}");
    refunds[0].clone()
}

#[tokio::test]
async fn unmatched_capture_with_free_places_buys_them_again() {
    let shop = TestPlatform::open().await;
    let (order, late) = late_order(&shop, &[0, 3]).await;
    for _ in 0..2 {
        settle(&shop, &late).await.unwrap();
        let after = read(&shop, order.order.id).await;
        assert_eq!((after.order.state, after.attempts[0].state), (OrderState::Paid, AttemptState::Captured));
        assert_eq!((after.tickets.len(), after.refunds.len()), (2, 0));
        assert_eq!(place_state(&shop, 3).await, PlaceState::Sold);
    }
}

#[tokio::test]
async fn unmatched_capture_writes_the_job_that_settles_it() {
    let shop = TestPlatform::open().await;
    let (_, late) = late_order(&shop, &[0]).await;
    let now = shop.environment.now();
    let jobs = shop.cold.lease(Queue::Payments, &[UNMATCHED_CAPTURE], 10, now, Duration::from_secs(60)).await.unwrap();
    assert_eq!(jobs.len(), 1);
    let payload: UnmatchedCapture = serde_json::from_value(jobs[0].payload.clone()).unwrap();
    assert_eq!((payload.payment, payload.captured), (late.payment, late.captured));
}

#[tokio::test]
async fn unmatched_capture_with_one_place_held_by_another_buyer_goes_back() {
    let shop = TestPlatform::open().await;
    let (order, late) = late_order(&shop, &[0, 3]).await;
    hold(&shop, vec![seat(&shop, 3)]).await.unwrap();
    for _ in 0..2 {
        settle(&shop, &late).await.unwrap();
        let refund = only_refund(&shop, &order).await;
        assert_eq!((refund.amount, refund.reason.as_str()), (order.order.total, "places_gone"));
        assert_eq!((refund.state, refund.payment), (RefundState::Pending, Some(late.payment)));
        assert!(refund.tickets.is_empty());
    }
    assert_eq!(states(&shop, order.order.id).await, (OrderState::Expired, vec![AttemptState::CapturedUnmatched]));
    hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
}

#[tokio::test]
async fn unmatched_capture_with_a_place_that_only_cold_knows_as_taken_goes_back_and_frees_its_hold() {
    let shop = TestPlatform::open().await;
    let (order, late) = late_order(&shop, &[0, 3]).await;
    let block = Block { id: shop.environment.uuid(), places: vec![PlaceNumber(3)], reason: "for the band".into() };
    shop.slices.ticketing.places.block(shop.scope.organization, shop.scope.event, block, None).await.unwrap().unwrap();
    settle(&shop, &late).await.unwrap();
    assert_eq!(only_refund(&shop, &order).await.reason, "places_gone");
    hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
}

#[tokio::test]
async fn second_capture_of_a_paid_order_goes_back_once() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    let second = created(pay_again(&shop, order.order.id, "again").await).attempts[1].id;
    shop.slices.payments.send_attempt(shop.scope.organization, second).await.unwrap();
    let first = order.attempts[0].id;
    let late = capture_late(&shop, first, order.order.total, UnmatchedReason::AlreadyPaid).await;
    for _ in 0..2 {
        settle(&shop, &late).await.unwrap();
        let refund = only_refund(&shop, &order).await;
        assert_eq!((refund.amount, refund.reason.as_str()), (order.order.total, "already_paid"));
        assert_eq!(refund.payment, Some(first));
    }
    let expected = (OrderState::Paid, vec![AttemptState::CapturedUnmatched, AttemptState::Captured]);
    assert_eq!(states(&shop, order.order.id).await, expected);
    assert_eq!(read(&shop, order.order.id).await.tickets.len(), 1);
}

#[tokio::test]
async fn capture_of_another_amount_or_currency_is_refunded_in_full() {
    for (change, why, reason) in [
        (-1, UnmatchedReason::AmountDiffers, "amount_differs"),
        (1, UnmatchedReason::AmountDiffers, "amount_differs"),
        (0, UnmatchedReason::CurrencyDiffers, "currency_differs"),
    ] {
        let shop = TestPlatform::open().await;
        let order = shop.order_seat(0).await;
        let total = order.order.total;
        let taken = match change {
            0 => Money::new(total.amount, Currency::USD),
            change => Money::new(total.amount + change, total.currency),
        };
        let late = capture_late(&shop, order.attempts[0].id, taken, why).await;
        settle(&shop, &late).await.unwrap();
        let refund = only_refund(&shop, &order).await;
        assert_eq!((refund.amount, refund.reason.as_str()), (taken, reason));
        assert_eq!(states(&shop, order.order.id).await.0, OrderState::AwaitingPayment);
        assert_eq!(place_state(&shop, 0).await, PlaceState::Claimed);
    }
}

#[tokio::test]
async fn unmatched_capture_of_a_cancelled_order_goes_back() {
    let shop = TestPlatform::open().await;
    let order = declined_order(&shop, 0).await;
    shop.slices.checkout.cancel_order(shop.scope.organization, order.order.id).await.unwrap();
    let late = capture_late(&shop, order.attempts[0].id, order.order.total, UnmatchedReason::OrderClosed).await;
    settle(&shop, &late).await.unwrap();
    assert_eq!(only_refund(&shop, &order).await.reason, "order_cancelled");
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn unmatched_capture_after_the_end_of_the_sale_goes_back() {
    let shop = TestPlatform::open().await;
    let closes_at = shop.environment.now().plus(Duration::from_secs(3_600));
    let (order, late) = late_order(&shop, &[0]).await;
    shop.environment.advance(closes_at.since(shop.environment.now()));
    settle(&shop, &late).await.unwrap();
    assert_eq!(only_refund(&shop, &order).await.reason, "sale_closed");
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

/// The event sells another ticket type that still admits.
#[tokio::test]
async fn unmatched_capture_for_tickets_that_no_longer_admit_goes_back() {
    let until = Duration::from_secs(2_000);
    let shop = TestPlatform::builder()
        .ticket_type(move |it| it.admission.admits_until = it.admission.admits_from.map(|at| at.plus(until * 101)))
        .open()
        .await;
    let listing = shop.slices.catalog.listings.listing(shop.scope).await.unwrap();
    let ends = listing.admission_window(&listing.ticket_types[0]).until;
    let other = TicketType {
        areas: vec![],
        categories: vec![],
        prices: vec![],
        ..new_ticket_type(&shop.environment, shop.scope.event)
    };
    let now = shop.environment.now();
    expect_created(shop.cold.create_ticket_type(shop.scope.organization, other, now, None).await.unwrap());
    shop.slices.catalog.listings.revalidate(shop.scope.organization, shop.scope.event);
    let (order, late) = late_order(&shop, &[0]).await;
    assert!(shop.environment.now() < ends, "the test's times do not fit");
    shop.environment.advance(ends.since(shop.environment.now()));
    let listing = shop.slices.catalog.listings.listing(shop.scope).await.unwrap();
    assert!(listing.check_on_sale(shop.environment.now()).is_ok(), "the other type is on sale");
    settle(&shop, &late).await.unwrap();
    assert_eq!(only_refund(&shop, &order).await.reason, "sale_closed");
}

#[tokio::test]
async fn job_of_a_matched_capture_changes_nothing() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    let late = UnmatchedCapture { payment: order.attempts[0].id, captured: order.order.total };
    settle(&shop, &late).await.unwrap();
    assert!(read(&shop, order.order.id).await.refunds.is_empty());
    let unknown = UnmatchedCapture { payment: PaymentId::from_uuid(uuid::Uuid::nil()), captured: order.order.total };
    assert!(matches!(settle(&shop, &unknown).await, Err(CommandError::Fault(_))));
}

/// Warm places that cannot be held for the moment.
struct BusyPlaces;

#[async_trait]
impl SoldPlaces for BusyPlaces {
    async fn hold_again(&self, _scope: EventScope, _request: HoldRequest) -> CommandResult<()> {
        Err(Refusal::try_again(1, "The event is being loaded.").into())
    }
    async fn release(&self, _scope: EventScope, _hold: HoldId) -> CommandResult<()> {
        panic!("nothing is held")
    }
    async fn mark_revoked(&self, _scope: EventScope, _tickets: &[TicketId]) -> CommandResult<()> {
        panic!("nothing is revoked")
    }
}

#[tokio::test]
async fn unmatched_capture_waits_while_warm_cannot_hold_its_places() {
    let mut shop = TestPlatform::open().await;
    let (order, late) = late_order(&shop, &[0]).await;
    let places = std::mem::replace(&mut Arc::make_mut(&mut shop.slices.payments).places, Arc::new(BusyPlaces));
    assert_eq!(code(settle(&shop, &late).await), Code::TryAgain, "the job runs again");
    assert!(read(&shop, order.order.id).await.refunds.is_empty());
    Arc::make_mut(&mut shop.slices.payments).places = places;
    settle(&shop, &late).await.unwrap();
    assert_eq!(states(&shop, order.order.id).await.0, OrderState::Paid);
}
