//! Cases of new refunds: never more than was paid, tickets before places (P5, P6).

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::jobs::ports::Queue;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::{NewRefund, RefundObservation};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::RefundId;
use voelgoed_domain::payments::decide::{Observation, PaymentDecision};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceState;

use super::{finish_revocation, open_refund, paid_back, record_refund, refused_by_provider};
use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

/// The domain rule names the tickets; the commit checks the same selection again, and refuses a different one.
pub async fn refund_of_the_full_amount_revokes_the_tickets<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1, 2]).await;
    let by_tickets = fixture.new_refund(order, payment, 2 * PAID_PER_PLACE, &tickets);
    let selection = RefundSelection::Amount(by_tickets.amount);
    let whole = NewRefund { selection, revoke: None, ..by_tickets };
    let kept = NewRefund { tickets: Vec::new(), ..whole.clone() };
    assert_eq!(open_refund(&fixture, &kept).await.unwrap_err().code, Code::WrongState, "the tickets go with it");
    open_refund(&fixture, &whole).await.unwrap();
    finish_revocation(&fixture, whole.id).await;
    let detail = fixture.read_order(order).await;
    assert!(detail.tickets.iter().all(|ticket| ticket.state == TicketState::Revoked));
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:free.3 2:free.3");
}

/// Each of the three steps may be repeated (P6).
pub async fn ticket_refund_revokes_then_frees_then_pays<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1, 2]).await;
    let queued = fixture.store().depth(Queue::Payments, fixture.environment().now()).await.unwrap().ready;
    fixture.take_events().await;
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[..1]);
    assert!(matches!(open_refund(&fixture, &refund).await, Ok(Created::Fresh(()))));
    let stored = fixture.store().read_refund(fixture.organization, refund.id).await.unwrap().unwrap();
    assert_eq!((stored.id, stored.order, stored.payment), (refund.id, order, Some(payment)));
    assert_eq!(stored.amount, refund.amount);
    assert_eq!((&*stored.provider, &stored.tickets, &stored.reason), ("sandbox", &refund.tickets, &refund.reason));
    assert_eq!((stored.state, stored.tickets_revoked, stored.event), (RefundState::Pending, false, fixture.event));
    assert_eq!(fixture.read_order(order).await.refunds, [stored]);
    assert_eq!(fixture.store().depth(Queue::Payments, fixture.environment().now()).await.unwrap().ready, queued + 1);
    let state = |detail: &voelgoed_app::checkout::ports::OrderDetail| {
        detail.tickets.iter().map(|it| it.state).collect::<Vec<_>>()
    };
    assert_eq!(state(&fixture.read_order(order).await), [TicketState::Revoking, TicketState::Valid]);
    assert_eq!(fixture.place_states(&[1]).await, "1:sold.2", "not yet free");
    let events = fixture.take_events().await;
    assert_eq!(events[1], OutboxEvent::TicketsRevoked { event: fixture.event, tickets: refund.tickets.clone() });
    assert_eq!(events.len(), 2);
    for round in 0..2 {
        finish_revocation(&fixture, refund.id).await;
        assert_eq!(fixture.place_states(&[1, 2]).await, "1:free.3 2:sold.2");
        let events = fixture.take_events().await;
        assert_eq!(events.len(), if round == 0 { 2 } else { 0 });
        if let Some(OutboxEvent::PlacesChanged { effects, .. }) = events.last() {
            assert_eq!((effects.len(), effects[0].state), (1, PlaceState::Free));
        }
    }
    assert_eq!(state(&fixture.read_order(order).await), [TicketState::Revoked, TicketState::Valid]);
    for _ in 0..2 {
        assert_eq!(record_refund(&fixture, refund.id, paid_back()).await, RefundState::Done);
        assert_eq!(fixture.balances().await["provider_clearing:sandbox"], PAID_PER_PLACE);
    }
    assert_eq!(fixture.states(order).await.0, OrderState::PartiallyRefunded);
    // Its place is sold again, and the rest may be refunded as well.
    fixture.paid_order(&[1]).await;
    let rest = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[1..]);
    open_refund(&fixture, &rest).await.unwrap();
    finish_revocation(&fixture, rest.id).await;
    record_refund(&fixture, rest.id, paid_back()).await;
    assert_eq!(fixture.states(order).await.0, OrderState::Refunded);
    assert_eq!(fixture.balances().await["provider_clearing:sandbox"], PAID_PER_PLACE, "the rest is the other order's");
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:sold.5 2:free.3");
}

/// A free order needs no provider call and no journal entry, so its refund names no attempt.
pub async fn free_tickets_are_revoked<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (paid, _, bought) = fixture.paid_order(&[5]).await;
    let before = fixture.balances().await;
    let order = fixture.new_free_order(&[1, 2]);
    fixture.place_order(&order).await;
    let tickets = fixture.read_order(order.id).await.tickets;
    assert_eq!(tickets.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), order.tickets);
    // A paid ticket cannot be refunded as a free one; a refund of a free ticket moves no money.
    assert_code(open_refund(&fixture, &fixture.new_refund(paid, None, 0, &bought)).await, Code::WrongState);
    assert_code(open_refund(&fixture, &fixture.new_refund(order.id, None, 1, &[])).await, Code::RefundTooLarge);
    for (at, state) in [(0, OrderState::PartiallyRefunded), (1, OrderState::Refunded)] {
        let refund = fixture.new_refund(order.id, None, 0, &tickets[at..=at]);
        open_refund(&fixture, &refund).await.unwrap();
        let stored = fixture.store().read_refund(fixture.organization, refund.id).await.unwrap().unwrap();
        assert_eq!((stored.payment, &*stored.provider, stored.amount), (None, "", refund.amount));
        assert_code(
            open_refund(&fixture, &fixture.new_refund(order.id, None, 0, &tickets[at..=at])).await,
            Code::WrongState,
        );
        finish_revocation(&fixture, refund.id).await;
        for _ in 0..2 {
            assert_eq!(
                record_refund(&fixture, refund.id, RefundObservation::Done { provider_ref: String::new() }).await,
                RefundState::Done
            );
        }
        assert_eq!(fixture.states(order.id).await.0, state);
    }
    assert_eq!(fixture.place_states(&[1, 2, 5]).await, "1:free.2 2:free.2 5:sold.2");
    assert_eq!(fixture.balances().await, before);
}

/// Two amounts return the whole payment.
pub async fn amount_refund_keeps_the_tickets<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, _) = fixture.paid_order(&[1]).await;
    let refund = fixture.new_refund(order, payment, 1_001, &[]);
    open_refund(&fixture, &refund).await.unwrap();
    assert!(fixture.read_order(order).await.refunds[0].tickets_revoked, "there are none to revoke");
    finish_revocation(&fixture, refund.id).await;
    record_refund(&fixture, refund.id, paid_back()).await;
    let detail = fixture.read_order(order).await;
    assert_eq!((detail.order.state, detail.tickets[0].state), (OrderState::PartiallyRefunded, TicketState::Valid));
    assert_eq!(fixture.balances().await["provider_clearing:sandbox"], PAID_PER_PLACE - 1_001);
    let rest = fixture.new_refund(order, payment, PAID_PER_PLACE - 1_001, &[]);
    open_refund(&fixture, &rest).await.unwrap();
    record_refund(&fixture, rest.id, paid_back()).await;
    assert!(fixture.balances().await.is_empty(), "to the last cent of each account");
    assert_eq!(fixture.states(order).await.0, OrderState::Refunded);
}

/// Pending refunds count as paid out (P5).
pub async fn refund_beyond_the_paid_amount_is_refused<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1, 2]).await;
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, 2 * PAID_PER_PLACE + 1, &[])).await,
        Code::RefundTooLarge,
    );
    open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE + 1, &[])).await.unwrap();
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE, &[])).await,
        Code::RefundTooLarge,
    );
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[..1])).await,
        Code::RefundTooLarge,
    );
    assert_code(open_refund(&fixture, &fixture.new_refund(order, payment, 0, &[])).await, Code::InvalidRequest);
    assert_code(open_refund(&fixture, &fixture.new_refund(order, payment, -1, &[])).await, Code::InvalidRequest);
    assert_eq!(fixture.read_order(order).await.refunds.len(), 1);
    assert!(fixture.read_order(order).await.tickets.iter().all(|ticket| ticket.state == TicketState::Valid));
    // The last tickets are refunded for the rest.
    open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE - 1, &tickets)).await.unwrap();
}

/// Without force it is `ticket_used` (P6).
pub async fn used_ticket_is_refunded_only_when_forced<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1]).await;
    let scan = crate::scans::new_scan(&fixture, Some(tickets[0].id));
    fixture.store().record_scan(fixture.organization, scan).await.unwrap();
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets);
    assert_code(open_refund(&fixture, &refund).await, Code::TicketUsed);
    open_refund(&fixture, &NewRefund { forced: true, ..refund }).await.unwrap();
    assert_eq!(fixture.read_order(order).await.tickets[0].state, TicketState::Revoking);
    assert_code(
        open_refund(&fixture, &fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets)).await,
        Code::WrongState,
    );
}

/// Each case has its own code.
pub async fn refund_of_unknown_or_unpaid_is_refused<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1]).await;
    let (other, other_payment, other_tickets) = fixture.paid_order(&[2]).await;
    let (unpaid, unpaid_payment) = fixture.placed_order(&[3]).await;
    let unknown = new_id(fixture.environment());
    for (refund, code) in [
        (fixture.new_refund(unknown, payment, PAID_PER_PLACE, &tickets), Code::NotFound),
        (fixture.new_refund(order, other_payment, PAID_PER_PLACE, &tickets), Code::NotFound),
        (fixture.new_refund(order, payment, PAID_PER_PLACE, &other_tickets), Code::NotFound),
        (fixture.new_refund(unpaid, unpaid_payment, PAID_PER_PLACE, &[]), Code::WrongState),
    ] {
        assert_code(open_refund(&fixture, &refund).await, code);
    }
    let missing: RefundId = new_id(fixture.environment());
    assert_eq!(fixture.store().read_refund(fixture.organization, missing).await.unwrap(), None);
    let now = fixture.environment().now();
    assert!(fixture.store().finish_revocation(fixture.organization, missing, now).await.is_err());
    assert!(fixture.store().record_refund(fixture.organization, missing, paid_back(), now).await.is_err());
    assert_eq!(fixture.read_order(other).await.refunds, []);
}

/// The repeat opens no second refund (P3).
pub async fn repeated_refund_request_is_replayed<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, _) = fixture.paid_order(&[1]).await;
    let open = async |request| {
        let key = IdempotencyKey { caller: "key".into(), key: "refund".into(), request };
        let record = IdempotencyRecord { key, answer: "the refund".into(), at: fixture.environment().now() };
        let refund = fixture.new_refund(order, payment, 100, &[]);
        fixture.store().open_refund(fixture.organization, refund, Some(record)).await.unwrap()
    };
    assert!(matches!(open([1; 32]).await, Ok(Created::Fresh(()))));
    assert!(matches!(open([1; 32]).await, Ok(Created::Replayed(body)) if body == "the refund"));
    assert_code(open([2; 32]).await, Code::IdempotencyMismatch);
    assert_eq!(fixture.store().refunds_of(fixture.organization, order).await.unwrap().len(), 1);
}

/// Eight refunds compete for the same money (P5).
pub async fn concurrent_refunds_pay_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1]).await;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..8 {
        let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, if number % 2 == 0 { &tickets } else { &[] });
        let (store, organization) = (fixture.store().clone(), fixture.organization);
        requests.spawn(async move { store.open_refund(organization, refund, None).await.unwrap().is_ok() });
    }
    assert_eq!(requests.join_all().await.into_iter().filter(|ok| *ok).count(), 1);
}

/// `not_found`, and nothing changes (P7).
pub async fn other_organizations_cannot_refund<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1]).await;
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets);
    let (store, other_organization, now) = (fixture.store(), fixture.other_organization, fixture.environment().now());
    assert_code(store.open_refund(other_organization, refund.clone(), None).await.unwrap(), Code::NotFound);
    open_refund(&fixture, &refund).await.unwrap();
    assert_eq!(store.read_refund(other_organization, refund.id).await.unwrap(), None);
    assert_eq!(store.refunds_of(other_organization, order).await.unwrap(), []);
    assert!(store.finish_revocation(other_organization, refund.id, now).await.is_err());
    assert!(store.record_refund(other_organization, refund.id, paid_back(), now).await.is_err());
    record_refund(&fixture, refund.id, refused_by_provider()).await;
    assert_code(store.settle_refund(other_organization, refund.id, "mine", now).await.unwrap(), Code::NotFound);
    assert_eq!(fixture.place_states(&[1]).await, "1:sold.2");
    assert_eq!(fixture.apply_observation(payment, Observation::NoAnswer).await, PaymentDecision::Nothing);
}
