//! What `PaymentStore` promises of refunds: never more than was paid, tickets before places, journal with the money (P5, P6, P7).

use voelgoed_app::accounts::audit::audited;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::jobs::ports::Queue;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::page::PageRequest;
use voelgoed_app::payments::ports::{NewRefund, Refund, RefundObservation};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId, RefundId};
use voelgoed_domain::payments::decide::{Decision, Observation};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceState;

use crate::selling::{PAID, Shop, Tier, assert_code};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! refund_store_suite {
    ($open:expr) => {
        $crate::cases! { refunds, $open;
            tickets_go_back_step_by_step
            tickets_that_cost_nothing_are_taken_back
            an_amount_goes_back_without_tickets
            an_amount_that_is_all_of_it_takes_the_tickets_back
            never_more_than_was_paid
            a_used_ticket_is_forced_or_kept
            what_is_not_there_or_not_paid_is_refused
            a_request_for_a_refund_repeats
            a_refund_follows_what_its_provider_says
            a_failed_refund_gives_its_amount_free
            a_refused_refund_is_asked_for_again_or_settled_by_hand
            settling_and_retrying_at_once_has_one_winner
            refused_refund_is_not_settled_with_money_that_others_returned
            late_money_goes_back_whole_and_once
            late_money_that_its_provider_kept_is_asked_for_again
            many_at_once_give_back_once
            strangers_get_nothing_back
        }
    };
}

async fn open<S: Tier>(shop: &Shop<S>, refund: &NewRefund) -> Result<Created<()>, Refusal> {
    shop.store().open_refund(shop.organization, refund.clone(), None).await.unwrap()
}

async fn record<S: Tier>(shop: &Shop<S>, refund: RefundId, seen: RefundObservation) -> RefundState {
    let now = shop.environment().now();
    shop.store().record_refund(shop.organization, refund, seen, now).await.unwrap()
}

async fn settle<S: Tier>(shop: &Shop<S>, refund: RefundId) -> Result<Refund, Refusal> {
    let now = shop.environment().now();
    shop.store().settle_refund(shop.organization, refund, "bank statement 7", now).await.unwrap()
}

/// A refund of one place's money, without its ticket, that its provider has refused.
async fn a_refused_refund<S: Tier>(shop: &Shop<S>, order: OrderId, payment: PaymentId) -> NewRefund {
    let refund = shop.a_refund(order, payment, PAID, &[]);
    open(shop, &refund).await.unwrap();
    assert_eq!(record(shop, refund.id, refused()).await, RefundState::Failed);
    refund
}

fn refused() -> RefundObservation {
    RefundObservation::Failed { reason: "it went back already".into() }
}

async fn finish<S: Tier>(shop: &Shop<S>, refund: RefundId) {
    shop.store().finish_revocation(shop.organization, refund, shop.environment().now()).await.unwrap();
}

fn done() -> RefundObservation {
    RefundObservation::Done { provider_ref: "back 1".into() }
}

/// The rule names the tickets; the commit judges the same wish again, and refuses what is not what it would do.
pub async fn an_amount_that_is_all_of_it_takes_the_tickets_back<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1, 2]).await;
    let by_tickets = shop.a_refund(order, payment, 2 * PAID, &tickets);
    let wish = RefundRequest::Amount(by_tickets.amount);
    let whole = NewRefund { wish, revoke: None, ..by_tickets };
    let kept = NewRefund { tickets: Vec::new(), ..whole.clone() };
    assert_eq!(open(&shop, &kept).await.unwrap_err().code, Code::WrongState, "the tickets go with it");
    open(&shop, &whole).await.unwrap();
    finish(&shop, whole.id).await;
    let detail = shop.detail(order).await;
    assert!(detail.tickets.iter().all(|ticket| ticket.state == TicketState::Revoked));
    assert_eq!(shop.places(&[1, 2]).await, "1:free.3 2:free.3");
}

/// Revoking, then revoked with its place free, then the money; each step may be repeated.
pub async fn tickets_go_back_step_by_step<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1, 2]).await;
    let queued = shop.store().depth(Queue::Payments, shop.environment().now()).await.unwrap().ready;
    shop.facts().await;
    let refund = shop.a_refund(order, payment, PAID, &tickets[..1]);
    assert!(matches!(open(&shop, &refund).await, Ok(Created::Fresh(()))));
    let stored = shop.store().read_refund(shop.organization, refund.id).await.unwrap().unwrap();
    assert_eq!((stored.id, stored.order, stored.payment), (refund.id, order, Some(payment)));
    assert_eq!(stored.amount, refund.amount);
    assert_eq!((&*stored.provider, &stored.tickets, &stored.reason), ("sandbox", &refund.tickets, &refund.reason));
    assert_eq!((stored.state, stored.tickets_revoked, stored.event), (RefundState::Pending, false, shop.event));
    assert_eq!(shop.detail(order).await.refunds, [stored]);
    assert_eq!(shop.store().depth(Queue::Payments, shop.environment().now()).await.unwrap().ready, queued + 1);
    let state = |detail: &voelgoed_app::checkout::ports::OrderDetail| {
        detail.tickets.iter().map(|it| it.state).collect::<Vec<_>>()
    };
    assert_eq!(state(&shop.detail(order).await), [TicketState::Revoking, TicketState::Valid]);
    assert_eq!(shop.places(&[1]).await, "1:sold.2", "not yet free");
    let facts = shop.facts().await;
    assert_eq!(facts[1], OutboxEvent::TicketsRevoked { event: shop.event, tickets: refund.tickets.clone() });
    assert_eq!(facts.len(), 2);
    for round in 0..2 {
        finish(&shop, refund.id).await;
        assert_eq!(shop.places(&[1, 2]).await, "1:free.3 2:sold.2");
        let facts = shop.facts().await;
        assert_eq!(facts.len(), if round == 0 { 2 } else { 0 });
        if let Some(OutboxEvent::PlacesChanged { effects, .. }) = facts.last() {
            assert_eq!((effects.len(), effects[0].state), (1, PlaceState::Free));
        }
    }
    assert_eq!(state(&shop.detail(order).await), [TicketState::Revoked, TicketState::Valid]);
    for _ in 0..2 {
        assert_eq!(record(&shop, refund.id, done()).await, RefundState::Done);
        assert_eq!(shop.balances().await["provider_clearing:sandbox"], PAID);
    }
    assert_eq!(shop.states(order).await.0, OrderState::PartiallyRefunded);
    // Its place is somebody else's now, and the rest may go back as well.
    shop.paid(&[1]).await;
    let rest = shop.a_refund(order, payment, PAID, &tickets[1..]);
    open(&shop, &rest).await.unwrap();
    finish(&shop, rest.id).await;
    record(&shop, rest.id, done()).await;
    assert_eq!(shop.states(order).await.0, OrderState::Refunded);
    assert_eq!(shop.balances().await["provider_clearing:sandbox"], PAID, "what is left is the other order's");
    assert_eq!(shop.places(&[1, 2]).await, "1:sold.5 2:free.3");
}

/// Visible while it is refused; asked for again once, with its audit line, and not where the money went back otherwise meanwhile.
pub async fn a_refused_refund_is_asked_for_again_or_settled_by_hand<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1, 2]).await;
    let refund = shop.a_refund(order, payment, PAID, &tickets[..1]);
    open(&shop, &refund).await.unwrap();
    finish(&shop, refund.id).await;
    let retry = |id| {
        let job = shop.a_refund(order, payment, PAID, &tickets[..1]).job;
        let command = shop.store().retry_refund(shop.organization, id, job);
        audited(shop.environment(), "key_1", "refund.retry", id, command)
    };
    assert_code(retry(refund.id).await.unwrap(), Code::WrongState);
    assert_code(settle(&shop, refund.id).await, Code::WrongState);
    record(&shop, refund.id, refused()).await;
    let seen = shop.detail(order).await.refunds[0].clone();
    assert_eq!((seen.state, seen.failure.as_deref()), (RefundState::Failed, Some("it went back already")));
    assert_eq!(shop.states(order).await.0, OrderState::Paid);
    assert_eq!(shop_flagged(&shop, &[order]).await, [order]);
    let page = || PageRequest { after: None, most: 10 };
    let listed = |state| shop.store().refunds(shop.organization, state, page());
    assert_eq!(listed(Some(RefundState::Failed)).await.unwrap().items[0].id, refund.id);
    assert!(listed(Some(RefundState::Done)).await.unwrap().items.is_empty());
    assert!(shop.store().refunds(shop.stranger, None, page()).await.unwrap().items.is_empty());
    let again = retry(refund.id).await.unwrap().unwrap();
    assert_eq!((again.state, again.failure), (RefundState::Pending, None));
    assert_code(retry(refund.id).await.unwrap(), Code::WrongState);
    assert_code(settle(&shop, refund.id).await, Code::WrongState);
    record(&shop, refund.id, refused()).await;
    let settled = settle(&shop, refund.id).await.unwrap();
    assert_eq!((settled.state, &settled.failure), (RefundState::Done, &None));
    assert_eq!(shop.detail(order).await.refunds, [settled]);
    assert_code(settle(&shop, refund.id).await, Code::WrongState);
    assert_code(retry(refund.id).await.unwrap(), Code::WrongState);
    assert_eq!(shop.balances().await["provider_clearing:sandbox"], PAID);
    assert_eq!(shop.states(order).await.0, OrderState::PartiallyRefunded);
    let lines = shop.store().audit_lines(shop.organization, page()).await.unwrap().items;
    assert_eq!(lines.iter().filter(|line| line.action == "refund.retry").count(), 1, "{lines:?}");
    // Another refund took the money that a refused one wanted.
    let rest = shop.a_refund(order, payment, PAID, &tickets[1..]);
    open(&shop, &rest).await.unwrap();
    record(&shop, rest.id, refused()).await;
    let money = NewRefund { revoke: Some(false), ..shop.a_refund(order, payment, PAID, &[]) };
    open(&shop, &money).await.unwrap();
    assert_code(retry(rest.id).await.unwrap(), Code::RefundTooLarge);
    assert_code(settle(&shop, rest.id).await, Code::RefundTooLarge);
}

/// Never a second payout: where the retry wins, the provider is asked and nothing is settled; where the settlement wins, nothing is asked.
pub async fn settling_and_retrying_at_once_has_one_winner<S: Tier>(subject: Subject<S>) {
    const ROUNDS: u32 = 6;
    let shop = Shop::open(subject).await;
    let mut returned = 0;
    for round in 0..ROUNDS {
        let (order, payment, _) = shop.paid(&[round]).await;
        let id = a_refused_refund(&shop, order, payment).await.id;
        let mut racers = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (store, organization, now) = (shop.store().clone(), shop.organization, shop.environment().now());
            let job = shop.a_refund(order, payment, PAID, &[]).job;
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
        let stored = shop.store().read_refund(shop.organization, id).await.unwrap().unwrap();
        assert_eq!(won, [Ok(stored.clone())]);
        returned += if stored.state == RefundState::Done { PAID } else { 0 };
        let left = PAID * i64::from(round + 1) - returned;
        assert_eq!(shop.balances().await.get("provider_clearing:sandbox").copied().unwrap_or(0), left);
    }
}

/// A refused refund does not count as returned, so that others may take its money; it is then neither settled nor a fault. Late captures alike.
pub async fn refused_refund_is_not_settled_with_money_that_others_returned<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let paid = shop.paid(&[1]).await;
    let late = shop.ordered(&[2]).await;
    assert!(matches!(shop.captured(late.1, PAID + 7).await, Decision::CapturedLate { .. }));
    for (order, payment, amount) in [(paid.0, paid.1, PAID), (late.0, late.1, PAID + 7)] {
        let refunds = [(); 2].map(|()| shop.a_refund(order, payment, amount, &[]));
        for refund in &refunds {
            open(&shop, refund).await.unwrap();
            record(&shop, refund.id, refused()).await;
        }
        let [first, second] = refunds.map(|refund| refund.id);
        let third = shop.a_refund(order, payment, amount, &[]);
        open(&shop, &third).await.unwrap();
        assert_code(settle(&shop, first).await, Code::RefundTooLarge);
        record(&shop, third.id, refused()).await;
        assert_eq!(settle(&shop, first).await.unwrap().state, RefundState::Done, "the third one returned nothing");
        let balances = shop.balances().await;
        let version = shop.detail(order).await.order.version;
        assert_code(settle(&shop, second).await, Code::RefundTooLarge);
        assert_code(settle(&shop, third.id).await, Code::RefundTooLarge);
        assert_eq!((shop.balances().await, shop.detail(order).await.order.version), (balances, version));
    }
    assert_eq!(shop.states(paid.0).await.0, OrderState::Refunded);
    assert!(shop.balances().await.is_empty());
}

async fn shop_flagged<S: Tier>(shop: &Shop<S>, orders: &[OrderId]) -> Vec<OrderId> {
    shop.store().orders_with_refused_refunds(shop.organization, orders).await.unwrap()
}

/// Nothing was paid, so no attempt is named, no provider asked, and the journal says nothing.
pub async fn tickets_that_cost_nothing_are_taken_back<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (paid, _, bought) = shop.paid(&[5]).await;
    let before = shop.balances().await;
    let order = shop.a_free_order(&[1, 2]);
    shop.place(&order).await;
    let tickets = shop.detail(order.id).await.tickets;
    assert_eq!(tickets.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), order.tickets);
    // What was paid for is not given away as if it had cost nothing, nor is there any money to give back.
    assert_code(open(&shop, &shop.a_refund(paid, None, 0, &bought)).await, Code::WrongState);
    assert_code(open(&shop, &shop.a_refund(order.id, None, 1, &[])).await, Code::RefundTooLarge);
    for (at, state) in [(0, OrderState::PartiallyRefunded), (1, OrderState::Refunded)] {
        let refund = shop.a_refund(order.id, None, 0, &tickets[at..=at]);
        open(&shop, &refund).await.unwrap();
        let stored = shop.store().read_refund(shop.organization, refund.id).await.unwrap().unwrap();
        assert_eq!((stored.payment, &*stored.provider, stored.amount), (None, "", refund.amount));
        assert_code(open(&shop, &shop.a_refund(order.id, None, 0, &tickets[at..=at])).await, Code::WrongState);
        finish(&shop, refund.id).await;
        for _ in 0..2 {
            assert_eq!(
                record(&shop, refund.id, RefundObservation::Done { provider_ref: String::new() }).await,
                RefundState::Done
            );
        }
        assert_eq!(shop.states(order.id).await.0, state);
    }
    assert_eq!(shop.places(&[1, 2, 5]).await, "1:free.2 2:free.2 5:sold.2");
    assert_eq!(shop.balances().await, before);
}

/// The tickets stay.
pub async fn an_amount_goes_back_without_tickets<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, _) = shop.paid(&[1]).await;
    let refund = shop.a_refund(order, payment, 1_001, &[]);
    open(&shop, &refund).await.unwrap();
    assert!(shop.detail(order).await.refunds[0].tickets_revoked, "there are none to revoke");
    finish(&shop, refund.id).await;
    record(&shop, refund.id, done()).await;
    let detail = shop.detail(order).await;
    assert_eq!((detail.order.state, detail.tickets[0].state), (OrderState::PartiallyRefunded, TicketState::Valid));
    assert_eq!(shop.balances().await["provider_clearing:sandbox"], PAID - 1_001);
    let rest = shop.a_refund(order, payment, PAID - 1_001, &[]);
    open(&shop, &rest).await.unwrap();
    record(&shop, rest.id, done()).await;
    assert!(shop.balances().await.is_empty(), "to the last cent of each account");
    assert_eq!(shop.states(order).await.0, OrderState::Refunded);
}

/// Counting what is still on its way.
pub async fn never_more_than_was_paid<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1, 2]).await;
    assert_code(open(&shop, &shop.a_refund(order, payment, 2 * PAID + 1, &[])).await, Code::RefundTooLarge);
    open(&shop, &shop.a_refund(order, payment, PAID + 1, &[])).await.unwrap();
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID, &[])).await, Code::RefundTooLarge);
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID, &tickets[..1])).await, Code::RefundTooLarge);
    assert_code(open(&shop, &shop.a_refund(order, payment, 0, &[])).await, Code::InvalidRequest);
    assert_code(open(&shop, &shop.a_refund(order, payment, -1, &[])).await, Code::InvalidRequest);
    assert_eq!(shop.detail(order).await.refunds.len(), 1);
    assert!(shop.detail(order).await.tickets.iter().all(|ticket| ticket.state == TicketState::Valid));
    // The last tickets go back for what is left.
    open(&shop, &shop.a_refund(order, payment, PAID - 1, &tickets)).await.unwrap();
}

/// P6.
pub async fn a_used_ticket_is_forced_or_kept<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1]).await;
    let scan = crate::scans::a_scan(&shop, Some(tickets[0].id));
    shop.store().record_scan(shop.organization, scan).await.unwrap();
    let refund = shop.a_refund(order, payment, PAID, &tickets);
    assert_code(open(&shop, &refund).await, Code::TicketUsed);
    open(&shop, &NewRefund { forced: true, ..refund }).await.unwrap();
    assert_eq!(shop.detail(order).await.tickets[0].state, TicketState::Revoking);
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID, &tickets)).await, Code::WrongState);
}

/// Each with its code.
pub async fn what_is_not_there_or_not_paid_is_refused<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1]).await;
    let (other, other_payment, other_tickets) = shop.paid(&[2]).await;
    let (unpaid, unpaid_payment) = shop.ordered(&[3]).await;
    let nobody = fresh(shop.environment());
    for (refund, code) in [
        (shop.a_refund(nobody, payment, PAID, &tickets), Code::NotFound),
        (shop.a_refund(order, other_payment, PAID, &tickets), Code::NotFound),
        (shop.a_refund(order, payment, PAID, &other_tickets), Code::NotFound),
        (shop.a_refund(unpaid, unpaid_payment, PAID, &[]), Code::WrongState),
    ] {
        assert_code(open(&shop, &refund).await, code);
    }
    let missing: RefundId = fresh(shop.environment());
    assert_eq!(shop.store().read_refund(shop.organization, missing).await.unwrap(), None);
    let now = shop.environment().now();
    assert!(shop.store().finish_revocation(shop.organization, missing, now).await.is_err());
    assert!(shop.store().record_refund(shop.organization, missing, done(), now).await.is_err());
    assert_eq!(shop.detail(other).await.refunds, []);
}

/// The same key, the same answer, one refund.
pub async fn a_request_for_a_refund_repeats<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, _) = shop.paid(&[1]).await;
    let open = async |request| {
        let key = IdempotencyKey { scope: "key".into(), key: "refund".into(), request };
        let record = IdempotencyRecord { key, answer: "the refund".into(), at: shop.environment().now() };
        let refund = shop.a_refund(order, payment, 100, &[]);
        shop.store().open_refund(shop.organization, refund, Some(record)).await.unwrap()
    };
    assert!(matches!(open([1; 32]).await, Ok(Created::Fresh(()))));
    assert!(matches!(open([1; 32]).await, Ok(Created::Replayed(body)) if body == "the refund"));
    assert_code(open([2; 32]).await, Code::IdempotencyMismatch);
    assert_eq!(shop.store().refunds_of(shop.organization, order).await.unwrap().len(), 1);
}

/// Each word of the provider, in a row that meets every state.
pub async fn a_refund_follows_what_its_provider_says<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, _) = shop.paid(&[1]).await;
    let refund = shop.a_refund(order, payment, PAID, &[]);
    open(&shop, &refund).await.unwrap();
    let failed = || RefundObservation::Failed { reason: "account closed".into() };
    for (seen, expected) in [
        (RefundObservation::Pending, RefundState::Pending),
        (RefundObservation::NotReached, RefundState::Pending),
        (RefundObservation::NoAnswer, RefundState::Unknown),
        (RefundObservation::NoAnswer, RefundState::Unknown),
        (RefundObservation::NotReached, RefundState::Unknown),
        (RefundObservation::Pending, RefundState::Pending),
        (failed(), RefundState::Failed),
        (RefundObservation::NoAnswer, RefundState::Failed),
        (RefundObservation::Pending, RefundState::Failed),
        (done(), RefundState::Done),
        (failed(), RefundState::Done),
        (RefundObservation::NoAnswer, RefundState::Done),
    ] {
        assert_eq!(record(&shop, refund.id, seen.clone()).await, expected, "{seen:?}");
        assert_eq!(shop.detail(order).await.refunds[0].state, expected);
        let paid = if expected == RefundState::Done { OrderState::Refunded } else { OrderState::Paid };
        assert_eq!(shop.states(order).await.0, paid);
    }
    assert!(shop.balances().await.is_empty());
}

/// Another may be tried in its place.
pub async fn a_failed_refund_gives_its_amount_free<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, _) = shop.paid(&[1]).await;
    let first = shop.a_refund(order, payment, PAID, &[]);
    open(&shop, &first).await.unwrap();
    assert_code(open(&shop, &shop.a_refund(order, payment, 1, &[])).await, Code::RefundTooLarge);
    record(&shop, first.id, RefundObservation::Failed { reason: "no".into() }).await;
    open(&shop, &shop.a_refund(order, payment, PAID, &[])).await.unwrap();
}

/// Whatever the order's state, and without touching it.
pub async fn late_money_goes_back_whole_and_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    let late = shop.captured(payment, PAID + 7).await;
    assert!(matches!(late, Decision::CapturedLate { .. }));
    for amount in [PAID + 6, PAID + 8, 0] {
        assert_code(open(&shop, &shop.a_refund(order, payment, amount, &[])).await, Code::RefundTooLarge);
    }
    let refund = shop.a_refund(order, payment, PAID + 7, &[]);
    open(&shop, &refund).await.unwrap();
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID + 7, &[])).await, Code::RefundTooLarge);
    record(&shop, refund.id, done()).await;
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID + 7, &[])).await, Code::RefundTooLarge);
    assert!(shop.balances().await.is_empty());
    assert_eq!(shop.states(order).await.0, OrderState::AwaitingPayment);
    // The order can still be paid as it should be.
    let second = shop.an_attempt(PAID);
    shop.store().open_attempt(shop.organization, order, second.clone(), None).await.unwrap().unwrap();
    assert_eq!(shop.captured(second.id, PAID).await, Decision::Issue);
    let (_, _, tickets) = shop.paid(&[2]).await;
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID + 7, &tickets)).await, Code::WrongState);
}

/// A refund that failed at the provider is no end: the same money may be given back by another one, whole, and then no more.
pub async fn late_money_that_its_provider_kept_is_asked_for_again<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    assert!(matches!(shop.captured(payment, PAID + 7).await, Decision::CapturedLate { .. }));
    let failed = shop.a_refund(order, payment, PAID + 7, &[]);
    open(&shop, &failed).await.unwrap();
    let no = RefundObservation::Failed { reason: "the account is closed".into() };
    assert_eq!(record(&shop, failed.id, no).await, RefundState::Failed);
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID, &[])).await, Code::RefundTooLarge);
    let again = shop.a_refund(order, payment, PAID + 7, &[]);
    open(&shop, &again).await.unwrap();
    assert_eq!(record(&shop, again.id, done()).await, RefundState::Done);
    assert!(shop.balances().await.is_empty(), "nothing is owed any more");
    assert_code(open(&shop, &shop.a_refund(order, payment, PAID + 7, &[])).await, Code::RefundTooLarge);
}

/// A race for the same money.
pub async fn many_at_once_give_back_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1]).await;
    let mut askers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let refund = shop.a_refund(order, payment, PAID, if number % 2 == 0 { &tickets } else { &[] });
        let (store, organization) = (shop.store().clone(), shop.organization);
        askers.spawn(async move { store.open_refund(organization, refund, None).await.unwrap().is_ok() });
    }
    assert_eq!(askers.join_all().await.into_iter().filter(|ok| *ok).count(), 1);
}

/// P7.
pub async fn strangers_get_nothing_back<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1]).await;
    let refund = shop.a_refund(order, payment, PAID, &tickets);
    let (store, stranger, now) = (shop.store(), shop.stranger, shop.environment().now());
    assert_code(store.open_refund(stranger, refund.clone(), None).await.unwrap(), Code::NotFound);
    open(&shop, &refund).await.unwrap();
    assert_eq!(store.read_refund(stranger, refund.id).await.unwrap(), None);
    assert_eq!(store.refunds_of(stranger, order).await.unwrap(), []);
    assert!(store.finish_revocation(stranger, refund.id, now).await.is_err());
    assert!(store.record_refund(stranger, refund.id, done(), now).await.is_err());
    record(&shop, refund.id, refused()).await;
    assert_code(store.settle_refund(stranger, refund.id, "mine", now).await.unwrap(), Code::NotFound);
    assert_eq!(shop.places(&[1]).await, "1:sold.2");
    assert_eq!(shop.learn(payment, Observation::NoAnswer).await, Decision::Nothing);
}
