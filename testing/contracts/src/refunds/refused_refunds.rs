//! Cases of refunds that the provider refused: retried or settled by hand, and never paid twice (P5).

use voelgoed_app::accounts::audit::audited;
use voelgoed_app::environment::Environment;
use voelgoed_app::page::PageRequest;
use voelgoed_app::payments::ports::{NewRefund, Refund};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId, RefundId};
use voelgoed_domain::payments::decide::PaymentDecision;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::refusal::{Code, Refusal};

use super::{finish_revocation, open_refund, record_refund, refused_by_provider};
use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier, assert_code};
use crate::sut::Sut;

async fn settle_refund<S: SalesTier>(fixture: &SalesFixture<S>, refund: RefundId) -> Result<Refund, Refusal> {
    let now = fixture.environment().now();
    fixture.store().settle_refund(fixture.organization, refund, "bank statement 7", now).await.unwrap()
}

/// A refund of the amount of one place, without its ticket, that the provider refused.
async fn refused_refund<S: SalesTier>(fixture: &SalesFixture<S>, order: OrderId, payment: PaymentId) -> NewRefund {
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &[]);
    open_refund(fixture, &refund).await.unwrap();
    assert_eq!(record_refund(fixture, refund.id, refused_by_provider()).await, RefundState::Failed);
    refund
}

/// Listed while it is refused; retried once, with its audit line, and not after another refund paid the money.
pub async fn refused_refund_is_retried_or_settled_by_hand<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, payment, tickets) = fixture.paid_order(&[1, 2]).await;
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[..1]);
    open_refund(&fixture, &refund).await.unwrap();
    finish_revocation(&fixture, refund.id).await;
    let retry = |id| {
        let job = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[..1]).job;
        let command = fixture.store().retry_refund(fixture.organization, id, job);
        audited(fixture.environment(), "key_1", "refund.retry", id, command)
    };
    assert_code(retry(refund.id).await.unwrap(), Code::WrongState);
    assert_code(settle_refund(&fixture, refund.id).await, Code::WrongState);
    record_refund(&fixture, refund.id, refused_by_provider()).await;
    let seen = fixture.read_order(order).await.refunds[0].clone();
    assert_eq!((seen.state, seen.failure.as_deref()), (RefundState::Failed, Some("it was refunded already")));
    assert_eq!(fixture.states(order).await.0, OrderState::Paid);
    assert_eq!(orders_with_refused_refunds(&fixture, &[order]).await, [order]);
    let page = || PageRequest { after: None, limit: 10 };
    let listed = |state| fixture.store().refunds(fixture.organization, state, page());
    assert_eq!(listed(Some(RefundState::Failed)).await.unwrap().items[0].id, refund.id);
    assert!(listed(Some(RefundState::Done)).await.unwrap().items.is_empty());
    assert!(fixture.store().refunds(fixture.other_organization, None, page()).await.unwrap().items.is_empty());
    let again = retry(refund.id).await.unwrap().unwrap();
    assert_eq!((again.state, again.failure), (RefundState::Pending, None));
    assert_code(retry(refund.id).await.unwrap(), Code::WrongState);
    assert_code(settle_refund(&fixture, refund.id).await, Code::WrongState);
    record_refund(&fixture, refund.id, refused_by_provider()).await;
    let settled = settle_refund(&fixture, refund.id).await.unwrap();
    assert_eq!((settled.state, &settled.failure), (RefundState::Done, &None));
    assert_eq!(fixture.read_order(order).await.refunds, [settled]);
    assert_code(settle_refund(&fixture, refund.id).await, Code::WrongState);
    assert_code(retry(refund.id).await.unwrap(), Code::WrongState);
    assert_eq!(fixture.balances().await["provider_clearing:sandbox"], PAID_PER_PLACE);
    assert_eq!(fixture.states(order).await.0, OrderState::PartiallyRefunded);
    let lines = fixture.store().audit_lines(fixture.organization, page()).await.unwrap().items;
    assert_eq!(lines.iter().filter(|line| line.action == "refund.retry").count(), 1, "{lines:?}");
    // Another refund pays the money of a refused one.
    let rest = fixture.new_refund(order, payment, PAID_PER_PLACE, &tickets[1..]);
    open_refund(&fixture, &rest).await.unwrap();
    record_refund(&fixture, rest.id, refused_by_provider()).await;
    let money = NewRefund { revoke: Some(false), ..fixture.new_refund(order, payment, PAID_PER_PLACE, &[]) };
    open_refund(&fixture, &money).await.unwrap();
    assert_code(retry(rest.id).await.unwrap(), Code::RefundTooLarge);
    assert_code(settle_refund(&fixture, rest.id).await, Code::RefundTooLarge);
}

/// Never a second payout: either the provider is called again, or the refund is settled by hand (P5).
pub async fn concurrent_settle_and_retry_have_one_winner<S: SalesTier>(sut: Sut<S>) {
    const ROUNDS: u32 = 6;
    let fixture = SalesFixture::open(sut).await;
    let mut returned = 0;
    for round in 0..ROUNDS {
        let (order, payment, _) = fixture.paid_order(&[round]).await;
        let id = refused_refund(&fixture, order, payment).await.id;
        let mut racers = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (store, organization, now) =
                (fixture.store().clone(), fixture.organization, fixture.environment().now());
            let job = fixture.new_refund(order, payment, PAID_PER_PLACE, &[]).job;
            racers.spawn(async move {
                match (number + round) % 2 {
                    0 => store.settle_refund(organization, id, "by hand", now).await.unwrap(),
                    _ => store.retry_refund(organization, id, job).await.unwrap(),
                }
            });
        }
        let (won, lost): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{won:?}");
        assert!(lost.into_iter().all(|lost| lost.unwrap_err().code == Code::WrongState));
        let stored = fixture.store().read_refund(fixture.organization, id).await.unwrap().unwrap();
        assert_eq!(won, [Ok(stored.clone())]);
        returned += if stored.state == RefundState::Done { PAID_PER_PLACE } else { 0 };
        let left = PAID_PER_PLACE * i64::from(round + 1) - returned;
        assert_eq!(fixture.balances().await.get("provider_clearing:sandbox").copied().unwrap_or(0), left);
    }
}

/// A refused refund does not count as paid, so that other refunds may pay its money; it can then not be settled. The same for unmatched captures.
pub async fn refused_refund_is_not_settled_after_its_money_was_refunded<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let paid = fixture.paid_order(&[1]).await;
    let late = fixture.placed_order(&[2]).await;
    assert!(matches!(fixture.capture(late.1, PAID_PER_PLACE + 7).await, PaymentDecision::CapturedUnmatched { .. }));
    for (order, payment, amount) in [(paid.0, paid.1, PAID_PER_PLACE), (late.0, late.1, PAID_PER_PLACE + 7)] {
        let refunds = [(); 2].map(|()| fixture.new_refund(order, payment, amount, &[]));
        for refund in &refunds {
            open_refund(&fixture, refund).await.unwrap();
            record_refund(&fixture, refund.id, refused_by_provider()).await;
        }
        let [first, second] = refunds.map(|refund| refund.id);
        let third = fixture.new_refund(order, payment, amount, &[]);
        open_refund(&fixture, &third).await.unwrap();
        assert_code(settle_refund(&fixture, first).await, Code::RefundTooLarge);
        record_refund(&fixture, third.id, refused_by_provider()).await;
        assert_eq!(
            settle_refund(&fixture, first).await.unwrap().state,
            RefundState::Done,
            "the third one paid nothing"
        );
        let balances = fixture.balances().await;
        let version = fixture.read_order(order).await.order.version;
        assert_code(settle_refund(&fixture, second).await, Code::RefundTooLarge);
        assert_code(settle_refund(&fixture, third.id).await, Code::RefundTooLarge);
        assert_eq!((fixture.balances().await, fixture.read_order(order).await.order.version), (balances, version));
    }
    assert_eq!(fixture.states(paid.0).await.0, OrderState::Refunded);
    assert!(fixture.balances().await.is_empty());
}

async fn orders_with_refused_refunds<S: SalesTier>(fixture: &SalesFixture<S>, orders: &[OrderId]) -> Vec<OrderId> {
    fixture.store().orders_with_refused_refunds(fixture.organization, orders).await.unwrap()
}
