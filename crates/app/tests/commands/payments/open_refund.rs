//! Opens refunds: of tickets, of amounts, and of late money that its provider would not take back.

use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::CommandResult;
use voelgoed_app::idempotency::{Created, Idempotent};
use voelgoed_app::jobs::ports::{JobStore, Queue};
use voelgoed_app::payments::apply_observation::UnmatchedCapture;
use voelgoed_app::payments::execute_refund::{EXECUTE_REFUND, ExecuteRefund};
use voelgoed_app::payments::open_refund::{OpenRefund, REASON_CHARS_MAX};
use voelgoed_app::payments::ports::{Refund, RefundObservation};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::TestPlatform;

use super::order_states::{declined_order, pay_again, read, refund, refunding};
use crate::support::{captured, code, created, key, refusal};

fn cents(order: Money, amount: i64) -> RefundSelection {
    RefundSelection::Amount(Money::new(amount, order.currency))
}

#[tokio::test]
async fn refund_of_a_ticket_revokes_it_and_writes_the_job_that_executes_it() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    assert_eq!((opened.amount, opened.state), (order.order.total, RefundState::Pending));
    assert_eq!((opened.payment, opened.provider.as_str()), (Some(order.attempts[0].id), "puppet"));
    let after = read(&shop, order.order.id).await;
    assert_eq!(after.tickets[0].state, TicketState::Revoking);
    assert_eq!(after.refunds, std::slice::from_ref(&opened));
    let now = shop.environment.now();
    let jobs = shop.cold.lease(Queue::Payments, &[EXECUTE_REFUND], 10, now, Duration::from_secs(60)).await.unwrap();
    let jobs: Vec<ExecuteRefund> = jobs.into_iter().map(|job| serde_json::from_value(job.payload).unwrap()).collect();
    assert_eq!(jobs.iter().map(|job| job.refund).collect::<Vec<_>>(), [opened.id]);
}

#[tokio::test]
async fn refunds_of_an_order_add_up_to_what_was_paid_at_most() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    let (id, total) = (order.order.id, order.order.total);
    assert_eq!(code(refund(&shop, id, cents(total, total.amount + 1), "a").await), Code::RefundTooLarge);
    created(refund(&shop, id, cents(total, 1_000), "b").await);
    assert_eq!(code(refund(&shop, id, cents(total, total.amount - 999), "c").await), Code::RefundTooLarge);
    let rest = created(refund(&shop, id, cents(total, total.amount - 1_000), "d").await);
    assert_eq!(rest.tickets, [order.tickets[0].id], "all that is left takes the tickets too");
    assert_eq!(code(refund(&shop, id, cents(total, 1), "e").await), Code::RefundTooLarge);
}

#[tokio::test]
async fn refund_that_its_provider_refused_does_not_count() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    let (id, total) = (order.order.id, order.order.total);
    let first = created(refund(&shop, id, cents(total, total.amount - 1), "a").await);
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Failed { reason: "closed".into() });
    shop.slices.payments.execute_refund(shop.scope.organization, first.id).await.unwrap();
    created(refund(&shop, id, cents(total, total.amount), "b").await);
}

#[tokio::test]
async fn repeated_refund_is_replayed_and_another_request_under_its_key_is_refused() {
    let shop = TestPlatform::open().await;
    let (order, opened) = refunding(&shop, 0).await;
    let ticket = RefundSelection::Tickets(vec![order.tickets[0].id]);
    let again = refund(&shop, order.order.id, ticket.clone(), "refund").await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"a refund"), "{again:?}");
    assert_eq!(read(&shop, order.order.id).await.refunds.len(), 1, "{opened:?}");
    let command = OpenRefund {
        order: order.order.id,
        selection: ticket,
        revoke: None,
        reason: "other".into(),
        forced: false,
        actor: "key_1".into(),
        idempotent: Idempotent { key: key("refund", 2), render: &|_| Bytes::from_static(b"a refund") },
    };
    let other = shop.slices.payments.open_refund(shop.scope.organization, command).await;
    assert_eq!(code(other), Code::IdempotencyMismatch);
}

async fn refund_for(shop: &TestPlatform, reason: String) -> CommandResult<Created<Refund>> {
    let order = shop.paid_order(0).await;
    let command = OpenRefund {
        order: order.order.id,
        selection: cents(order.order.total, 100),
        revoke: None,
        reason,
        forced: false,
        actor: "key_1".into(),
        idempotent: Idempotent { key: key("refund", 1), render: &|_| Bytes::from_static(b"a refund") },
    };
    shop.slices.payments.open_refund(shop.scope.organization, command).await
}

#[tokio::test]
async fn reason_of_a_refund_has_1_to_200_characters() {
    for (length, valid) in [(0, false), (1, true), (REASON_CHARS_MAX, true), (REASON_CHARS_MAX + 1, false)] {
        let opened = refund_for(&TestPlatform::open().await, "é".repeat(length)).await;
        match valid {
            true => assert_eq!(created(opened).reason.chars().count(), length),
            false => assert_eq!(refusal(opened).evidence.field.as_deref(), Some("reason"), "{length}"),
        }
    }
}

#[tokio::test]
async fn refund_waits_while_cold_is_read_only() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    let refused = refusal(refund(&shop, order.order.id, cents(order.order.total, 100), "a").await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::TryAgain, Some(10)));
}

#[tokio::test]
async fn ticket_is_refunded_once_and_under_its_own_order() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    let ticket = order.tickets[0].id;
    let other = shop.paid_order(3).await;
    let foreign = refund(&shop, order.order.id, RefundSelection::Tickets(vec![other.tickets[0].id]), "a").await;
    assert_eq!(code(foreign), Code::NotFound, "a ticket of another order");
    let twice = RefundSelection::Tickets(vec![ticket]);
    created(refund(&shop, order.order.id, twice.clone(), "b").await);
    let again = refund(&shop, order.order.id, twice, "c").await;
    assert!(again.is_err(), "it is being revoked already: {again:?}");
}

/// A paid order whose other attempt was captured too, and whose provider refused to take that money back.
async fn late_money_owed(shop: &TestPlatform, extra: i64) -> (voelgoed_app::checkout::ports::OrderDetail, Money) {
    let organization = shop.scope.organization;
    let order = declined_order(shop, 0).await;
    let second = created(pay_again(shop, order.order.id, "again").await).attempts[1].id;
    shop.slices.payments.send_attempt(organization, second).await.unwrap();
    let late = Money::new(order.order.total.amount + extra, order.order.total.currency);
    let first = order.attempts[0].id;
    shop.slices.payments.apply_observation(organization, first, captured(late)).await.unwrap();
    let job = UnmatchedCapture { payment: first, captured: late };
    shop.slices.payments.settle_unmatched_capture(organization, job).await.unwrap();
    let opened = read(shop, order.order.id).await.refunds[0].id;
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Failed { reason: "closed".into() });
    shop.slices.payments.execute_refund(organization, opened).await.unwrap();
    (read(shop, order.order.id).await, late)
}

#[tokio::test]
async fn refund_of_exactly_the_unmatched_amount_uses_the_unmatched_attempt() {
    let shop = TestPlatform::open().await;
    let (order, late) = late_money_owed(&shop, 7).await;
    let opened = created(refund(&shop, order.order.id, RefundSelection::Amount(late), "late").await);
    assert_eq!((opened.payment, opened.amount), (Some(order.attempts[0].id), late));
    assert!(opened.tickets.is_empty(), "the tickets were paid by the other attempt");
}

#[tokio::test]
async fn refund_of_another_amount_is_taken_from_the_money_of_the_order() {
    let shop = TestPlatform::open().await;
    let (order, _) = late_money_owed(&shop, 7).await;
    let opened = created(refund(&shop, order.order.id, cents(order.order.total, 100), "own").await);
    assert_eq!(opened.payment, Some(order.attempts[1].id));
}

#[tokio::test]
async fn late_money_of_an_unpaid_order_goes_back_whole() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let (id, organization) = (order.order.id, shop.scope.organization);
    let late = Money::new(order.order.total.amount + 7, order.order.total.currency);
    let payment = order.attempts[0].id;
    shop.slices.payments.apply_observation(organization, payment, captured(late)).await.unwrap();
    assert_eq!(code(refund(&shop, id, cents(late, 5), "early").await), Code::WrongState, "its own job comes first");
    shop.slices
        .payments
        .settle_unmatched_capture(organization, UnmatchedCapture { payment, captured: late })
        .await
        .unwrap();
    let opened = read(&shop, id).await.refunds[0].id;
    *shop.provider.refund_answer.lock().unwrap() = Some(RefundObservation::Failed { reason: "closed".into() });
    shop.slices.payments.execute_refund(organization, opened).await.unwrap();
    let part = refusal(refund(&shop, id, cents(late, late.amount - 1), "part").await);
    assert_eq!(part.code, Code::RefundTooLarge);
    assert!(part.detail.contains(&late.to_string()), "{part}");
    assert_eq!(created(refund(&shop, id, RefundSelection::Amount(late), "whole").await).payment, Some(payment));
}
