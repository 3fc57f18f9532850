//! Cases of placing one order: it is stored whole, claims its places, and is refused if a place is taken (P1).

use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::new_id;
use voelgoed_app::idempotency::{ANSWER_RETENTION, Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier};
use crate::sut::Sut;

/// Order, lines and attempt are read back with every field.
pub async fn order_is_read_back_as_written<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let order = fixture.new_order(&[5, 3]);
    fixture.place_order(&order).await;
    let detail = fixture.read_order(order.id).await;
    let attempt = order.attempt.clone().unwrap();
    let stored = &detail.order;
    assert_eq!(
        (stored.id, stored.organization, stored.event, stored.hold),
        (order.id, fixture.organization, order.event, order.hold)
    );
    assert_eq!((stored.state, stored.version, stored.paid_at), (OrderState::AwaitingPayment, 1, None));
    assert_eq!(
        (&stored.buyer, stored.fees, stored.tax, stored.total),
        (&order.buyer, order.fees, order.tax, order.total)
    );
    assert_eq!((stored.pay_by, stored.created_at), (order.pay_by, order.at));
    assert_eq!(detail.lines, order.lines, "in the order of the basket");
    assert_eq!((detail.refunds, detail.tickets), (vec![], vec![]));
    let [written] = detail.attempts.as_slice() else { panic!("{:?}", detail.attempts) };
    assert_eq!((written.id, written.number, written.state), (attempt.id, 1, AttemptState::Created));
    assert_eq!((written.organization, written.event, written.order), (fixture.organization, order.event, order.id));
    assert_eq!(
        (&written.provider, &written.method, written.amount),
        (&attempt.provider, &attempt.method, attempt.amount)
    );
    assert_eq!(
        (written.send_before, written.pay_by, written.created_at),
        (attempt.send_before, order.pay_by, order.at)
    );
    assert_eq!(fixture.place_states(&[3, 4, 5]).await, "3:claimed.1 5:claimed.1");
    assert_eq!(fixture.store().order_of_hold(fixture.organization, order.hold).await.unwrap(), Some(order.id));
    assert_eq!(fixture.store().order_of_hold(fixture.organization, new_id(fixture.environment())).await.unwrap(), None);
}

/// The warm tier needs the hold from which the places came.
pub async fn order_event_names_its_hold<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let order = fixture.new_order(&[2, 1]);
    fixture.place_order(&order).await;
    let events = fixture.take_events().await;
    let [changed, OutboxEvent::PlacesChanged { event, claimed_by, effects }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*event, *claimed_by), (fixture.event, Some((order.hold, order.id))));
    let claimed: Vec<_> =
        effects.iter().map(|effect| (effect.place.0, effect.state, effect.owner, effect.version.0)).collect();
    let owner = Some(order.id.uuid());
    assert_eq!(claimed, [(1, PlaceState::Claimed, owner, 1), (2, PlaceState::Claimed, owner, 1)]);
    let state = OrderState::AwaitingPayment;
    assert_eq!(*changed, OutboxEvent::OrderChanged { event: fixture.event, order: order.id, state });
}

/// Nothing is owed, so the tickets are issued in the same commit.
pub async fn free_order_is_paid_at_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let order = fixture.new_free_order(&[1, 2]);
    fixture.place_order(&order).await;
    let detail = fixture.read_order(order.id).await;
    assert_eq!((detail.order.state, detail.order.paid_at), (OrderState::Paid, Some(order.at)));
    assert_eq!(detail.attempts, []);
    let tickets: Vec<_> = detail.tickets.iter().map(|ticket| (ticket.place.0, &*ticket.label, ticket.state)).collect();
    assert_eq!(tickets, [(1, "Seat 1", TicketState::Valid), (2, "Seat 2", TicketState::Valid)]);
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:sold.1 2:sold.1");
    assert!(fixture.balances().await.is_empty());
    let ticket = detail.tickets[0].clone();
    assert_eq!(fixture.store().read_ticket(fixture.organization, ticket.id).await.unwrap(), Some(ticket));
}

/// A refused order names the taken places and writes nothing, also not for the free ones.
pub async fn order_with_taken_places_is_refused_and_names_exactly_those<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    fixture.placed_order(&[1, 2]).await;
    fixture.paid_order(&[5]).await;
    let refused = fixture.new_order(&[3, 2, 4, 5]);
    let refusal = fixture.place_refused_order(&refused).await;
    assert_eq!((refusal.code, refusal.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(2), PlaceNumber(5)]));
    assert_eq!(fixture.store().read_order(fixture.organization, refused.id).await.unwrap(), None);
    assert_eq!(fixture.store().order_of_hold(fixture.organization, refused.hold).await.unwrap(), None);
    // The same request may be repeated: a refusal is not stored.
    let again = NewOrder {
        lines: fixture.new_order(&[3, 4]).lines,
        total: crate::sales_fixture::zar(2 * PAID_PER_PLACE),
        ..refused
    };
    fixture.place_order(&again).await;
}

/// `already_ordered`, with any idempotency key.
pub async fn second_order_of_a_hold_is_refused<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let first = fixture.new_order(&[1]);
    fixture.place_order(&first).await;
    let second = NewOrder { hold: first.hold, ..fixture.new_order(&[2]) };
    let refusal = fixture.place_refused_order(&second).await;
    assert_eq!((refusal.code, refusal.evidence.order), (Code::AlreadyOrdered, Some(first.id)));
    assert_eq!(fixture.place_states(&[2]).await, "");
}

/// The idempotency record has the time of its order, and expires after its retention time.
pub async fn repeated_order_replays_the_first_answer<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let first = fixture.new_order(&[1]);
    fixture.place_order(&first).await;
    let with = |request, at| {
        let key = IdempotencyKey { request, ..first.idempotency.key.clone() };
        let record = IdempotencyRecord { key, answer: "another answer".into(), at };
        NewOrder { id: new_id(fixture.environment()), idempotency: record, at, ..first.clone() }
    };
    let answer = fixture.store().place_order(fixture.organization, with([7; 32], first.at)).await.unwrap().unwrap();
    assert!(matches!(&answer, Created::Replayed(body) if *body == first.idempotency.answer), "{answer:?}");
    assert_eq!(fixture.place_refused_order(&with([8; 32], first.at)).await.code, Code::IdempotencyMismatch);
    let over = fixture.environment().advance(ANSWER_RETENTION);
    assert_eq!(fixture.place_refused_order(&with([7; 32], over)).await.code, Code::AlreadyOrdered);
}

/// An order without places, or with the same place twice, is a programming error and not a refusal.
pub async fn order_without_places_is_an_error<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    assert!(fixture.store().place_order(fixture.organization, fixture.new_order(&[])).await.is_err());
    assert!(fixture.store().place_order(fixture.organization, fixture.new_order(&[1, 1])).await.is_err());
    assert_eq!(fixture.place_states(&[1]).await, "");
}
