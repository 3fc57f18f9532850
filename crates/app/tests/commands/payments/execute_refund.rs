//! Executes refunds: the tickets are revoked everywhere and their places free before the provider is called, and each step is repeatable (P2, P6).

use voelgoed_app::environment::new_id;
use voelgoed_app::error::CommandError;
use voelgoed_app::idempotency::Created;
use voelgoed_app::payments::execute_refund::RefundProgress;
use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_app::ticketing::ports::GateFilter;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::{ProviderCall, TestPlatform};

use super::order_states::{read, refund, refunding};
use crate::support::{created, hold, place_state, seat};

fn done() -> Option<RefundObservation> {
    Some(RefundObservation::Done { provider_ref: "ref".into() })
}

#[tokio::test]
async fn executed_refund_revokes_its_ticket_frees_its_place_and_returns_the_money_once() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    *shop.provider.refund_answer.lock().unwrap() = done();
    for _ in 0..2 {
        let progress = shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
        assert_eq!(progress, RefundProgress::Settled);
    }
    let after = read(&shop, order.order.id).await;
    assert_eq!((after.order.state, after.refunds[0].state), (OrderState::Refunded, RefundState::Done));
    assert_eq!((after.tickets[0].state, after.refunds[0].tickets_revoked), (TicketState::Revoked, true));
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
    let filter = shop.slices.ticketing.inventory.gate_filter(shop.scope, order.tickets[0].id).await.unwrap();
    assert_eq!(filter, GateFilter::Revoked);
    assert_eq!(shop.provider.calls()[1..], [ProviderCall::Refund(opened.id)], "after the charge");
}

#[tokio::test]
async fn tickets_are_revoked_before_the_provider_answers() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    let progress = shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
    assert_eq!(progress, RefundProgress::Open, "the provider did not answer");
    let after = read(&shop, order.order.id).await;
    assert_eq!((after.refunds[0].state, after.tickets[0].state), (RefundState::Unknown, TicketState::Revoked));
    assert_eq!((after.order.state, place_state(&shop, 0).await), (OrderState::Paid, PlaceState::Free));
}

#[tokio::test]
async fn unanswered_refund_is_polled_and_requested_again_only_if_it_never_arrived() {
    let shop = TestPlatform::open().await;
    let (_, opened) = refunding(&shop, 0).await;
    let organization = shop.scope.organization;
    let execute = async || shop.slices.payments.execute_refund(organization, opened.id).await.unwrap();
    assert_eq!(execute().await, RefundProgress::Open);
    assert_eq!(execute().await, RefundProgress::Open);
    let (request, poll) = (ProviderCall::Refund(opened.id), ProviderCall::PollRefund(opened.id));
    assert_eq!(shop.provider.calls()[1..], [request, poll], "a silent provider is not asked for the money again");
    *shop.provider.refund_poll_answer.lock().unwrap() = Some(RefundObservation::NotReached);
    *shop.provider.refund_answer.lock().unwrap() = done();
    assert_eq!(execute().await, RefundProgress::Settled);
    assert_eq!(shop.provider.calls()[1..], [request, poll, poll, request]);
}

#[tokio::test]
async fn refund_that_the_provider_accepted_stays_open() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Pending);
    let progress = shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
    assert_eq!(progress, RefundProgress::Open);
    assert_eq!(read(&shop, order.order.id).await.order.state, OrderState::Paid);
}

#[tokio::test]
async fn refused_refund_is_settled_with_its_reason_and_its_tickets_stay_revoked() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    let reason = format!("card\0 closed{}", "x".repeat(1_000));
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Failed { reason });
    for _ in 0..2 {
        let progress = shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
        assert_eq!(progress, RefundProgress::Settled);
    }
    let after = read(&shop, order.order.id).await;
    let failure = after.refunds[0].failure.clone().unwrap();
    assert_eq!((after.refunds[0].state, after.order.state), (RefundState::Failed, OrderState::Paid));
    assert!(failure.starts_with("card closed") && failure.len() == 500, "{failure}");
    assert_eq!(after.tickets[0].state, TicketState::Revoked);
    assert_eq!(shop.provider.refunds(), 1);
}

#[tokio::test]
async fn refund_of_an_amount_leaves_the_ticket_valid() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    let part = RefundSelection::Amount(Money::new(100, order.order.total.currency));
    let opened = created(refund(&shop, order.order.id, part, "part").await);
    *shop.provider.refund_answer.lock().unwrap() = done();
    shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
    let after = read(&shop, order.order.id).await;
    assert_eq!((after.order.state, after.tickets[0].state), (OrderState::PartiallyRefunded, TicketState::Valid));
}

#[tokio::test]
async fn ticket_of_a_free_order_is_taken_back_without_a_provider() {
    let free = |shop: voelgoed_testkit::platform::TestPlatformBuilder| {
        shop.event(|event| event.fees.per_ticket = 0).ticket_type(|it| it.price.amount = 0)
    };
    let shop = free(TestPlatform::builder()).open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let order = created(shop.order_as(held.id, "once", "ann@example.org", None).await);
    let ticket = RefundSelection::Tickets(vec![order.tickets[0].id]);
    let opened = created(refund(&shop, order.order.id, ticket, "free").await);
    assert_eq!((opened.payment, opened.amount.amount), (None, 0));
    let progress = shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
    assert_eq!(progress, RefundProgress::Settled);
    assert!(shop.provider.calls().is_empty());
    let after = read(&shop, order.order.id).await;
    assert_eq!((after.tickets[0].state, after.refunds[0].state), (TicketState::Revoked, RefundState::Done));
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn refund_goes_on_while_warm_is_down_and_warm_follows_by_the_outbox() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    shop.slices.context.capabilities.report(Dependency::Warm, DependencyHealth::Down);
    let ticket = RefundSelection::Tickets(vec![order.tickets[0].id]);
    let opened = refund(&shop, order.order.id, ticket, "refund").await.unwrap();
    let Created::Fresh(opened) = opened else { panic!("{opened:?}") };
    *shop.provider.refund_answer.lock().unwrap() = done();
    shop.slices.payments.execute_refund(shop.scope.organization, opened.id).await.unwrap();
    assert_eq!(read(&shop, order.order.id).await.tickets[0].state, TicketState::Revoked);
    let filter = shop.slices.ticketing.inventory.gate_filter(shop.scope, order.tickets[0].id).await.unwrap();
    assert_eq!(filter, GateFilter::Unseen, "warm was not called");
    shop.relay().await;
    let filter = shop.slices.ticketing.inventory.gate_filter(shop.scope, order.tickets[0].id).await.unwrap();
    assert_eq!(filter, GateFilter::Revoked);
}

#[tokio::test]
async fn unknown_refund_is_a_fault() {
    let shop = TestPlatform::open().await;
    let unknown = shop.slices.payments.execute_refund(shop.scope.organization, new_id(&*shop.environment)).await;
    assert!(matches!(unknown, Err(CommandError::Fault(_))), "{unknown:?}");
}
