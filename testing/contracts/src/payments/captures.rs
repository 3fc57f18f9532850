//! Cases of observations: a capture issues tickets once, and only a void frees places (P2, P5).

use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::NewAttempt;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE, PaymentDecision};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceState;

use super::{captured, declined};
use crate::sales_fixture::{PAID_PER_PLACE, PAY_WINDOW, SalesFixture, SalesTier, zar};
use crate::sut::Sut;

/// Attempt, order, places, tickets, journal and outbox events are one commit (P5).
pub async fn capture_issues_tickets_and_books_the_sale<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[2, 1]).await;
    fixture.take_events().await;
    assert_eq!(fixture.capture(payment, 2 * PAID_PER_PLACE).await, PaymentDecision::Issue);
    let detail = fixture.read_order(order).await;
    assert_eq!((detail.order.state, detail.order.version), (OrderState::Paid, 2));
    assert_eq!(detail.order.paid_at, Some(fixture.environment().now()));
    let attempt = fixture.store().read_attempt(fixture.organization, payment).await.unwrap().unwrap();
    assert_eq!(detail.attempts, std::slice::from_ref(&attempt));
    assert_eq!((attempt.state, attempt.provider_ref.as_deref()), (AttemptState::Captured, Some("ref 1")));
    assert_eq!(fixture.store().attempts_of(fixture.organization, order).await.unwrap(), [attempt]);
    let tickets: Vec<_> = detail.tickets.iter().map(|it| (it.place.0, &*it.label, it.area, it.state)).collect();
    assert_eq!(
        tickets,
        [(2, "Seat 2", fixture.area, TicketState::Valid), (1, "Seat 1", fixture.area, TicketState::Valid)]
    );
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:sold.2 2:sold.2");
    let balances: Vec<_> = fixture.balances().await.into_iter().collect();
    let expected = [
        ("fee_income", -870),
        ("organizer_payable", -17_390),
        ("provider_clearing:sandbox", 21_000),
        ("tax_payable", -2_740),
    ];
    assert_eq!(balances, expected.map(|(account, amount)| (account.to_owned(), amount)));
    let events = fixture.take_events().await;
    let [changed, OutboxEvent::PlacesChanged { effects, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert!(
        effects.len() == 2
            && effects.iter().all(|effect| effect.state == PlaceState::Sold && effect.owner == Some(order.uuid()))
    );
    assert_eq!(*changed, OutboxEvent::OrderChanged { event: fixture.event, order, state: OrderState::Paid });
}

/// Callback and poll report the same capture; the first one is applied.
pub async fn decided_attempt_ignores_later_observations<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1]).await;
    let (before, balances) = (fixture.read_order(order).await, fixture.balances().await);
    fixture.take_events().await;
    let amount = zar(PAID_PER_PLACE);
    for observation in [
        captured(amount),
        Observation::Pending,
        declined(),
        Observation::Voided,
        Observation::NoAnswer,
        Observation::NotReached,
        Observation::Absent,
    ] {
        assert_eq!(
            fixture.apply_observation(payment, observation.clone()).await,
            PaymentDecision::Nothing,
            "{observation:?}"
        );
    }
    assert_eq!((fixture.read_order(order).await, fixture.balances().await), (before, balances));
    assert_eq!((fixture.take_events().await, tickets.len()), (vec![], 1));
}

/// Fifteen of sixteen observations change nothing.
pub async fn concurrent_captures_issue_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1, 2, 3]).await;
    let mut reports = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, organization) = (fixture.store().clone(), fixture.organization);
        let observation = fixture.payment_observation(payment, captured(zar(3 * PAID_PER_PLACE)));
        reports.spawn(async move { store.apply_observation(organization, observation).await.unwrap() });
    }
    let decisions = reports.join_all().await;
    assert_eq!(decisions.iter().filter(|decision| **decision == PaymentDecision::Issue).count(), 1);
    assert_eq!(decisions.iter().filter(|decision| **decision == PaymentDecision::Nothing).count(), 15);
    assert_eq!(fixture.read_order(order).await.tickets.len(), 3);
    assert_eq!(fixture.balances().await["provider_clearing:sandbox"], 3 * PAID_PER_PLACE);
}

/// Captures, refusals and voids of many orders at the same time: each order ends as it would alone.
pub async fn many_orders_are_decided_concurrently<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let mut reports = tokio::task::JoinSet::new();
    let mut orders = Vec::new();
    for number in 0..48_u32 {
        orders.push((fixture.placed_order(&[number * 2, number * 2 + 1]).await, number % 3));
    }
    fixture.environment().advance(PAY_WINDOW + PAY_BY_GRACE);
    for ((_, payment), end) in &orders {
        let observation = [captured(zar(2 * PAID_PER_PLACE)), declined(), Observation::Voided][*end as usize].clone();
        let (store, organization) = (fixture.store().clone(), fixture.organization);
        let observation = fixture.payment_observation(*payment, observation);
        reports.spawn(async move { store.apply_observation(organization, observation).await.unwrap() });
    }
    reports.join_all().await;
    for (number, ((order, _), end)) in orders.iter().enumerate() {
        let detail = fixture.read_order(*order).await;
        let places = fixture.place_states(&[number as u32 * 2]).await;
        let place = places.split(':').next_back().unwrap();
        let expected = [
            (OrderState::Paid, "sold.2", 2),
            (OrderState::AwaitingPayment, "claimed.1", 0),
            (OrderState::Expired, "free.2", 0),
        ];
        assert_eq!((detail.order.state, place, detail.tickets.len()), expected[*end as usize]);
    }
    assert_eq!(fixture.balances().await["provider_clearing:sandbox"], 16 * 2 * PAID_PER_PLACE);
}

/// The order keeps its places, and may be paid by another attempt.
pub async fn failed_attempt_keeps_the_order_and_its_places<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    for (place, observation, expected) in [
        (1, Observation::Pending, AttemptState::Pending),
        (2, Observation::NoAnswer, AttemptState::Unknown),
        (3, declined(), AttemptState::Failed),
        (4, Observation::NotReached, AttemptState::Failed),
        (5, Observation::Voided, AttemptState::Voided),
        (6, Observation::Absent, AttemptState::Created),
    ] {
        let (order, payment) = fixture.placed_order(&[place]).await;
        fixture.take_events().await;
        fixture.apply_observation(payment, observation.clone()).await;
        assert_eq!(fixture.states(order).await, (OrderState::AwaitingPayment, vec![expected]), "{observation:?}");
        assert_eq!(fixture.place_states(&[place]).await, format!("{place}:claimed.1"));
        let events = fixture.take_events().await;
        let changed = OutboxEvent::OrderChanged { event: fixture.event, order, state: OrderState::AwaitingPayment };
        assert_eq!(events, if expected == AttemptState::Created { vec![] } else { vec![changed] });
        let reason = fixture.read_order(order).await.attempts[0].reason.clone();
        assert_eq!(reason.is_some(), expected == AttemptState::Failed);
    }
    assert!(fixture.balances().await.is_empty());
}

/// A provider that does not answer frees nothing; a void frees the places and expires the order (P2).
pub async fn expired_order_frees_its_places_only_after_a_void<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1, 2]).await;
    fixture.environment().advance(PAY_WINDOW + PAY_BY_GRACE);
    for observation in [Observation::NoAnswer, Observation::NotReached, Observation::Absent] {
        fixture.apply_observation(payment, observation).await;
        assert_eq!(fixture.place_states(&[1, 2]).await, "1:claimed.1 2:claimed.1");
    }
    fixture.take_events().await;
    assert_eq!(
        fixture.apply_observation(payment, Observation::Voided).await,
        PaymentDecision::Void { expire_order: true }
    );
    assert_eq!(fixture.states(order).await, (OrderState::Expired, vec![AttemptState::Voided]));
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:free.2 2:free.2");
    let events = fixture.take_events().await;
    let [OutboxEvent::OrderChanged { state, .. }, OutboxEvent::PlacesChanged { effects, .. }] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((effects.len(), *state), (2, OrderState::Expired));
    fixture.placed_order(&[1, 2]).await;
}

/// Reads find nothing; observations of an unknown attempt change nothing.
pub async fn other_organizations_cannot_decide_attempts<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    let (store, other_organization) = (fixture.store(), fixture.other_organization);
    assert_eq!(store.read_attempt(other_organization, payment).await.unwrap(), None);
    assert_eq!(store.attempts_of(other_organization, order).await.unwrap(), []);
    assert_eq!(store.refunds_of(other_organization, order).await.unwrap(), []);
    let observation = store
        .apply_observation(other_organization, fixture.payment_observation(payment, captured(zar(PAID_PER_PLACE))))
        .await;
    assert_eq!(observation.unwrap(), PaymentDecision::NoAttempt);
    let missing: NewAttempt = fixture.new_attempt(PAID_PER_PLACE);
    let observation = store
        .apply_observation(fixture.organization, fixture.payment_observation(missing.id, captured(zar(PAID_PER_PLACE))))
        .await;
    assert_eq!(observation.unwrap(), PaymentDecision::NoAttempt);
    assert_eq!(fixture.states(order).await, (OrderState::AwaitingPayment, vec![AttemptState::Created]));
}
