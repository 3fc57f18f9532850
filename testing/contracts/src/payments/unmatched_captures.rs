//! Cases of unmatched captures: money that comes too late or with a wrong amount is booked separately, then the order is reissued or
//! the money refunded (P2, P5).

use std::time::Duration;

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::ports::Queue;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{PaymentDecision, UnmatchedReason};

use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier, zar};
use crate::sut::Sut;

use super::{captured, declined};

/// Money that the order cannot use is booked as a liability with a job to settle it; the order is unchanged.
pub async fn unmatched_capture_is_booked_separately<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let closed = fixture.placed_order(&[1]).await;
    fixture.apply_observation(closed.1, declined()).await;
    let now = fixture.environment().now();
    fixture.store().close_unpaid(fixture.organization, closed.0, OrderState::Expired, now).await.unwrap().unwrap();
    let paid_before = fixture.placed_order(&[2]).await;
    fixture.apply_observation(paid_before.1, declined()).await;
    let second = fixture.new_attempt(PAID_PER_PLACE);
    let paid_again = (paid_before.0, second.id);
    fixture.store().open_attempt(fixture.organization, paid_before.0, second, None).await.unwrap().unwrap();
    assert_eq!(fixture.capture(paid_again.1, PAID_PER_PLACE).await, PaymentDecision::Issue);
    let (more, less, other) =
        (fixture.placed_order(&[3]).await, fixture.placed_order(&[4]).await, fixture.placed_order(&[5]).await);
    let euros = Money::new(PAID_PER_PLACE, Currency::EUR);
    let mut jobs = 0;
    for ((order, payment), amount, why) in [
        (closed, zar(PAID_PER_PLACE), UnmatchedReason::OrderClosed),
        (paid_before, zar(PAID_PER_PLACE), UnmatchedReason::AlreadyPaid),
        (more, zar(PAID_PER_PLACE + 1), UnmatchedReason::AmountDiffers),
        (less, zar(PAID_PER_PLACE - 1), UnmatchedReason::AmountDiffers),
        (other, euros, UnmatchedReason::CurrencyDiffers),
    ] {
        let before = fixture.read_order(order).await;
        assert_eq!(
            fixture.apply_observation(payment, captured(amount)).await,
            PaymentDecision::CapturedUnmatched { why }
        );
        assert_eq!(fixture.apply_observation(payment, captured(amount)).await, PaymentDecision::Nothing, "once");
        let after = fixture.read_order(order).await;
        assert_eq!((after.order.state, after.tickets), (before.order.state, before.tickets), "{why}");
        let attempt = fixture.store().read_attempt(fixture.organization, payment).await.unwrap().unwrap();
        assert_eq!((attempt.state, attempt.reason.as_deref()), (AttemptState::CapturedUnmatched, Some(why.as_str())));
        jobs += 1;
        assert_eq!(fixture.store().depth(Queue::Payments, now).await.unwrap().ready, jobs);
    }
    fixture.balances().await;
    let balances = fixture.store().balances(fixture.organization).await.unwrap();
    let owed: Vec<_> =
        balances.iter().filter(|it| it.account == "late_captures").map(|it| (it.currency, it.amount)).collect();
    assert_eq!(owed, [(Currency::EUR, -PAID_PER_PLACE), (Currency::ZAR, -4 * PAID_PER_PLACE)]);
}

/// An expired order with a capture after its expiry.
async fn unmatched_capture<S: SalesTier>(fixture: &SalesFixture<S>, places: &[u32]) -> (OrderId, PaymentId) {
    let (order, payment) = fixture.placed_order(places).await;
    fixture.apply_observation(payment, declined()).await;
    let now = fixture.environment().now();
    fixture.store().close_unpaid(fixture.organization, order, OrderState::Expired, now).await.unwrap().unwrap();
    let amount = PAID_PER_PLACE * i64::try_from(places.len()).unwrap();
    assert!(matches!(fixture.capture(payment, amount).await, PaymentDecision::CapturedUnmatched { .. }));
    (order, payment)
}

/// All places in one commit, as if the order had been paid in time.
pub async fn unmatched_capture_reissues_the_order<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment) = unmatched_capture(&fixture, &[1, 2]).await;
    fixture.take_events().await;
    let now = fixture.environment().advance(Duration::from_secs(60));
    let reissue = async || fixture.store().reissue(fixture.organization, payment, now).await.unwrap();
    assert!(!fixture.store().reissue(fixture.other_organization, payment, now).await.unwrap());
    assert!(reissue().await);
    let detail = fixture.read_order(order).await;
    assert_eq!((detail.order.state, detail.order.paid_at, detail.tickets.len()), (OrderState::Paid, Some(now), 2));
    assert_eq!((detail.attempts[0].state, &detail.attempts[0].reason), (AttemptState::Captured, &None));
    assert_eq!(fixture.place_states(&[1, 2]).await, "1:sold.3 2:sold.3");
    assert!(!fixture.balances().await.contains_key("late_captures"));
    let events = fixture.take_events().await;
    assert!(
        matches!(
            events.as_slice(),
            [OutboxEvent::OrderChanged { state: OrderState::Paid, .. }, OutboxEvent::PlacesChanged { .. }]
        ),
        "{events:?}"
    );
    assert!(reissue().await, "a repeat finds it done");
    assert_eq!((fixture.read_order(order).await.tickets.len(), fixture.take_events().await), (2, vec![]));
}

/// Nothing changes either if the order was cancelled, the amount is wrong, or a refund is open.
pub async fn unmatched_capture_cannot_reissue_taken_places<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let now = fixture.environment().now();
    let (order, payment) = unmatched_capture(&fixture, &[1, 2]).await;
    fixture.placed_order(&[2]).await;
    assert!(!fixture.store().reissue(fixture.organization, payment, now).await.unwrap());
    assert_eq!(
        (fixture.states(order).await.0, fixture.place_states(&[1]).await),
        (OrderState::Expired, "1:free.2".to_owned())
    );
    let (cancelled, payment) = fixture.placed_order(&[5]).await;
    fixture.apply_observation(payment, declined()).await;
    fixture.store().close_unpaid(fixture.organization, cancelled, OrderState::Cancelled, now).await.unwrap().unwrap();
    fixture.capture(payment, PAID_PER_PLACE).await;
    assert!(!fixture.store().reissue(fixture.organization, payment, now).await.unwrap());
    let (_, returned) = unmatched_capture(&fixture, &[6]).await;
    let order = fixture.store().read_attempt(fixture.organization, returned).await.unwrap().unwrap().order;
    let refund = fixture.new_refund(order, returned, PAID_PER_PLACE, &[]);
    fixture.store().open_refund(fixture.organization, refund, None).await.unwrap().unwrap();
    assert!(
        !fixture.store().reissue(fixture.organization, returned, now).await.unwrap(),
        "the money is being refunded"
    );
    let (_, open) = fixture.placed_order(&[7]).await;
    assert!(!fixture.store().reissue(fixture.organization, open, now).await.unwrap());
    assert!(!fixture.store().reissue(fixture.organization, new_id(fixture.environment()), now).await.unwrap());
    assert_eq!(fixture.place_states(&[5, 6]).await, "5:free.2 6:free.2");
}

/// Two attempts of one order are captured late: one reissues the order, the other is refunded in full.
pub async fn two_unmatched_captures_reissue_the_order_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, first) = fixture.placed_order(&[1]).await;
    fixture.apply_observation(first, declined()).await;
    let second = fixture.new_attempt(PAID_PER_PLACE);
    fixture.store().open_attempt(fixture.organization, order, second.clone(), None).await.unwrap().unwrap();
    fixture.apply_observation(second.id, declined()).await;
    let now = fixture.environment().now();
    fixture.store().close_unpaid(fixture.organization, order, OrderState::Expired, now).await.unwrap().unwrap();
    for payment in [first, second.id] {
        let late = PaymentDecision::CapturedUnmatched { why: UnmatchedReason::OrderClosed };
        assert_eq!(fixture.capture(payment, PAID_PER_PLACE).await, late);
    }
    assert!(fixture.store().reissue(fixture.organization, second.id, now).await.unwrap());
    assert!(!fixture.store().reissue(fixture.organization, first, now).await.unwrap(), "the order is paid");
    assert!(fixture.store().reissue(fixture.organization, second.id, now).await.unwrap(), "a repeat finds it done");
    let states = fixture.states(order).await;
    assert_eq!(states, (OrderState::Paid, vec![AttemptState::CapturedUnmatched, AttemptState::Captured]));
    assert_eq!(
        (fixture.read_order(order).await.tickets.len(), fixture.place_states(&[1]).await),
        (1, "1:sold.3".to_owned())
    );
    let refund = fixture.new_refund(order, first, PAID_PER_PLACE, &[]);
    fixture.store().open_refund(fixture.organization, refund.clone(), None).await.unwrap().unwrap();
    let done = RefundObservation::Done { provider_ref: "back".into() };
    fixture.store().record_refund(fixture.organization, refund.id, done, now).await.unwrap();
    assert_eq!(fixture.states(order).await.0, OrderState::Paid, "the refunded money was not the order's");
    assert_eq!(fixture.balances().await["provider_clearing:sandbox"], PAID_PER_PLACE);
}
