//! Cases of attempts: one unresolved attempt per order, one sender per attempt (P2).

use std::time::Duration;

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::payments::ports::SendLease;
use voelgoed_domain::ids::{OrderId, PaymentId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, PaymentDecision};
use voelgoed_domain::refusal::{Code, Refusal};

use super::declined;
use crate::sales_fixture::{PAID_PER_PLACE, PAY_WINDOW, SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

/// Attempts are numbered, and the next one starts only after the one before has failed.
pub async fn attempt_after_a_failed_one_is_numbered_and_captured<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, first) = fixture.placed_order(&[1]).await;
    fixture.apply_observation(first, declined()).await;
    let second = fixture.new_attempt(PAID_PER_PLACE);
    let opened = fixture.store().open_attempt(fixture.organization, order, second.clone(), None).await.unwrap();
    assert!(matches!(opened, Ok(Created::Fresh(()))));
    let attempts = fixture.store().attempts_of(fixture.organization, order).await.unwrap();
    let numbers: Vec<_> = attempts.iter().map(|it| (it.id, it.number, it.state)).collect();
    assert_eq!(numbers, [(first, 1, AttemptState::Failed), (second.id, 2, AttemptState::Created)]);
    assert_eq!(fixture.capture(second.id, PAID_PER_PLACE).await, PaymentDecision::Issue);
}

async fn open_attempt<S: SalesTier>(fixture: &SalesFixture<S>, order: OrderId) -> Result<Created<()>, Refusal> {
    fixture.store().open_attempt(fixture.organization, order, fixture.new_attempt(PAID_PER_PLACE), None).await.unwrap()
}

/// The order is unresolved, paid, overdue, unknown, or another organization's.
pub async fn attempt_for_an_order_that_is_not_payable_is_refused<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    for observation in [None, Some(Observation::Pending), Some(Observation::NoAnswer)] {
        if let Some(observation) = observation {
            fixture.apply_observation(payment, observation).await;
        }
        assert_code(open_attempt(&fixture, order).await, Code::PaymentUnresolved);
    }
    fixture.apply_observation(payment, declined()).await;
    let foreign = fixture
        .store()
        .open_attempt(fixture.other_organization, order, fixture.new_attempt(PAID_PER_PLACE), None)
        .await
        .unwrap();
    assert_code(foreign, Code::NotFound);
    assert_code(open_attempt(&fixture, new_id(fixture.environment())).await, Code::NotFound);
    let (paid, ..) = fixture.paid_order(&[2]).await;
    assert_code(open_attempt(&fixture, paid).await, Code::NotPayable);
    fixture.environment().advance(PAY_WINDOW);
    assert_code(open_attempt(&fixture, order).await, Code::NotPayable);
    assert_eq!(fixture.states(order).await.1, [AttemptState::Failed], "nothing was written");
}

/// The repeat opens no second attempt (P3).
pub async fn repeated_request_for_another_attempt_is_replayed<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    fixture.apply_observation(payment, declined()).await;
    let record = |request| {
        let key = IdempotencyKey { caller: "ord".into(), key: "again".into(), request };
        Some(IdempotencyRecord { key, answer: "the second attempt".into(), at: fixture.environment().now() })
    };
    let open = async |request| {
        fixture
            .store()
            .open_attempt(fixture.organization, order, fixture.new_attempt(PAID_PER_PLACE), record(request))
            .await
            .unwrap()
    };
    assert!(matches!(open([1; 32]).await, Ok(Created::Fresh(()))));
    assert!(matches!(open([1; 32]).await, Ok(Created::Replayed(body)) if body == "the second attempt"));
    assert_code(open([2; 32]).await, Code::IdempotencyMismatch);
    assert_eq!(fixture.read_order(order).await.attempts.len(), 2);
}

async fn lease_send<S: SalesTier>(fixture: &SalesFixture<S>, payment: PaymentId, lasts: u64) -> bool {
    let now = fixture.environment().now();
    let lease = SendLease { token: fixture.environment().uuid(), until: now.plus(Duration::from_secs(lasts)) };
    fixture.store().lease_send(fixture.organization, payment, lease, now).await.unwrap().is_some()
}

/// One sender at a time; a sender after the deadline or for a decided attempt gets no lease.
pub async fn attempt_is_leased_to_one_sender_at_a_time<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (_, payment) = fixture.placed_order(&[1]).await;
    let now = fixture.environment().now();
    let own = SendLease { token: fixture.environment().uuid(), until: now.plus(Duration::from_secs(10)) };
    let foreign = fixture.store().lease_send(fixture.other_organization, payment, own, now).await.unwrap();
    assert_eq!(foreign, None);
    let leased = fixture.store().lease_send(fixture.organization, payment, own, now).await.unwrap().unwrap();
    assert_eq!((leased.id, leased.state), (payment, AttemptState::Created));
    assert!(
        fixture.store().lease_send(fixture.organization, payment, own, now).await.unwrap().is_some(),
        "the holder again"
    );
    assert!(!lease_send(&fixture, payment, 10).await, "another sender has the lease");
    fixture.environment().advance(Duration::from_secs(10));
    assert!(lease_send(&fixture, payment, 10).await, "it has lapsed");
    let (_, pending) = fixture.placed_order(&[2]).await;
    fixture.apply_observation(pending, Observation::Pending).await;
    assert!(!lease_send(&fixture, pending, 10).await, "the attempt is decided");
    let (_, over) = fixture.placed_order(&[3]).await;
    fixture.environment().advance(PAY_WINDOW);
    assert!(!lease_send(&fixture, over, 10).await, "its deadline has passed");
    assert!(!lease_send(&fixture, new_id(fixture.environment()), 10).await, "unknown");
}

/// A refused connection of the second sender proves nothing about the first sender's request (P2).
pub async fn second_sender_that_was_not_reached_leaves_the_attempt_unknown<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = fixture.placed_order(&[1]).await;
    assert!(lease_send(&fixture, payment, 1).await);
    fixture.environment().advance(Duration::from_secs(1));
    assert!(lease_send(&fixture, payment, 1).await);
    assert_eq!(
        fixture.apply_observation(payment, Observation::NotReached).await,
        PaymentDecision::Record(AttemptState::Unknown)
    );
    assert_eq!(fixture.states(order).await.1, [AttemptState::Unknown]);
}

/// Each attempt is taken once per round, also by concurrent callers.
pub async fn unresolved_attempts_are_taken_longest_unpolled_first<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let mut payments = Vec::new();
    for place in 0..5 {
        payments.push(fixture.placed_order(&[place]).await.1);
        fixture.environment().advance(Duration::from_secs(1));
    }
    fixture.capture(payments[1], PAID_PER_PLACE).await;
    fixture.apply_observation(payments[2], Observation::NoAnswer).await;
    fixture.apply_observation(payments[3], declined()).await;
    let take = async |ago, limit| {
        let now = fixture.environment().now();
        let taken = fixture.store().take_unresolved(now.minus(Duration::from_secs(ago)), now, limit).await.unwrap();
        taken.into_iter().map(|attempt| attempt.id).collect::<Vec<_>>()
    };
    assert_eq!(take(2, 1).await, [payments[0]]);
    assert_eq!(take(2, 9).await, [payments[2]], "the first was polled just now, the last is too recent");
    assert_eq!(take(0, 9).await, [payments[4]]);
    assert_eq!(take(0, 9).await, []);
    fixture.environment().advance(Duration::from_secs(3));
    let now = fixture.environment().now();
    let (first, second) =
        tokio::join!(fixture.store().take_unresolved(now, now, 2), fixture.store().take_unresolved(now, now, 2),);
    let mut both: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).map(|attempt| attempt.id).collect();
    both.sort_unstable();
    assert_eq!(both, [payments[0], payments[2], payments[4]], "no attempt is polled by two");
}
