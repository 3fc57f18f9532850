//! What `PaymentStore` promises of attempts: one sender at a time, one capture that counts, money never forgotten (P2, P5, P7).

use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::{NewAttempt, SendLease};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, PaymentId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Decision, Observation, PAY_BY_GRACE};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceState;

use crate::selling::{PAID, Shop, TO_PAY, Tier, assert_code, zar};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! payment_store_suite {
    ($open:expr) => {
        $crate::cases! { payments, $open;
            a_capture_issues_tickets_and_books_the_sale
            what_is_known_is_learned_once
            many_voices_issue_once
            orders_are_issued_together
            an_attempt_that_ends_changes_nothing_but_itself
            time_over_frees_the_places_only_with_the_providers_word
            another_attempt_follows_a_failed_one
            another_attempt_is_refused_where_it_must_be
            a_request_for_another_attempt_repeats
            one_sender_at_a_time
            a_second_sender_knows_less
            unresolved_attempts_are_taken_in_turn
            strangers_learn_nothing
        }
        $crate::cases! { late_money, $open;
            late_money_is_kept_apart
            late_money_buys_the_places_anew
            late_money_buys_nothing_that_is_gone
            late_money_twice_buys_the_places_once
        }
    };
}

pub(crate) fn captured(amount: Money) -> Observation {
    Observation::Captured { amount, provider_ref: "ref 2".into() }
}

pub(crate) fn declined() -> Observation {
    Observation::Declined { reason: "no money".into() }
}

/// One commit: attempt, order, places, tickets, journal, facts.
pub async fn a_capture_issues_tickets_and_books_the_sale<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[2, 1]).await;
    shop.facts().await;
    assert_eq!(shop.captured(payment, 2 * PAID).await, Decision::Issue);
    let detail = shop.detail(order).await;
    assert_eq!((detail.order.state, detail.order.version), (OrderState::Paid, 2));
    assert_eq!(detail.order.paid_at, Some(shop.environment().now()));
    let attempt = shop.store().read_attempt(shop.organization, payment).await.unwrap().unwrap();
    assert_eq!(detail.attempts, std::slice::from_ref(&attempt));
    assert_eq!((attempt.state, attempt.provider_ref.as_deref()), (AttemptState::Captured, Some("ref 1")));
    assert_eq!(shop.store().attempts_of(shop.organization, order).await.unwrap(), [attempt]);
    let tickets: Vec<_> = detail.tickets.iter().map(|it| (it.place.0, &*it.label, it.area, it.state)).collect();
    assert_eq!(tickets, [(2, "Seat 2", shop.area, TicketState::Valid), (1, "Seat 1", shop.area, TicketState::Valid)]);
    assert_eq!(shop.places(&[1, 2]).await, "1:sold.2 2:sold.2");
    let balances: Vec<_> = shop.balances().await.into_iter().collect();
    let expected = [
        ("fee_income", -870),
        ("organizer_payable", -17_390),
        ("provider_clearing:sandbox", 21_000),
        ("tax_payable", -2_740),
    ];
    assert_eq!(balances, expected.map(|(account, amount)| (account.to_owned(), amount)));
    let facts = shop.facts().await;
    let [changed, OutboxEvent::PlacesChanged { effects, .. }] = facts.as_slice() else { panic!("{facts:?}") };
    assert!(
        effects.len() == 2
            && effects.iter().all(|effect| effect.state == PlaceState::Sold && effect.owner == Some(order.uuid()))
    );
    assert_eq!(*changed, OutboxEvent::OrderChanged { event: shop.event, order, state: OrderState::Paid });
}

/// Callback and poll say the same; whichever is first wins.
pub async fn what_is_known_is_learned_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1]).await;
    let (before, balances) = (shop.detail(order).await, shop.balances().await);
    shop.facts().await;
    let amount = zar(PAID);
    for seen in [
        captured(amount),
        Observation::Pending,
        declined(),
        Observation::Voided,
        Observation::NoAnswer,
        Observation::NotReached,
        Observation::Absent,
    ] {
        assert_eq!(shop.learn(payment, seen.clone()).await, Decision::Nothing, "{seen:?}");
    }
    assert_eq!((shop.detail(order).await, shop.balances().await), (before, balances));
    assert_eq!((shop.facts().await, tickets.len()), (vec![], 1));
}

/// The same capture from many sides at once.
pub async fn many_voices_issue_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1, 2, 3]).await;
    let mut voices = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, organization) = (shop.store().clone(), shop.organization);
        let learned = shop.learned(payment, captured(zar(3 * PAID)));
        voices.spawn(async move { store.learn(organization, learned).await.unwrap() });
    }
    let decisions = voices.join_all().await;
    assert_eq!(decisions.iter().filter(|decision| **decision == Decision::Issue).count(), 1);
    assert_eq!(decisions.iter().filter(|decision| **decision == Decision::Nothing).count(), 15);
    assert_eq!(shop.detail(order).await.tickets.len(), 3);
    assert_eq!(shop.balances().await["provider_clearing:sandbox"], 3 * PAID);
}

/// Captures, refusals and voids of many orders at once: each order ends as it would alone.
pub async fn orders_are_issued_together<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let mut voices = tokio::task::JoinSet::new();
    let mut orders = Vec::new();
    for number in 0..48_u32 {
        orders.push((shop.ordered(&[number * 2, number * 2 + 1]).await, number % 3));
    }
    shop.environment().advance(TO_PAY + PAY_BY_GRACE);
    for ((_, payment), end) in &orders {
        let seen = [captured(zar(2 * PAID)), declined(), Observation::Voided][*end as usize].clone();
        let (store, organization) = (shop.store().clone(), shop.organization);
        let learned = shop.learned(*payment, seen);
        voices.spawn(async move { store.learn(organization, learned).await.unwrap() });
    }
    voices.join_all().await;
    for (number, ((order, _), end)) in orders.iter().enumerate() {
        let detail = shop.detail(*order).await;
        let places = shop.places(&[number as u32 * 2]).await;
        let place = places.split(':').next_back().unwrap();
        let expected = [
            (OrderState::Paid, "sold.2", 2),
            (OrderState::AwaitingPayment, "claimed.1", 0),
            (OrderState::Expired, "free.2", 0),
        ];
        assert_eq!((detail.order.state, place, detail.tickets.len()), expected[*end as usize]);
    }
    assert_eq!(shop.balances().await["provider_clearing:sandbox"], 16 * 2 * PAID);
}

/// The order keeps its places, and may be paid otherwise.
pub async fn an_attempt_that_ends_changes_nothing_but_itself<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    for (place, seen, expected) in [
        (1, Observation::Pending, AttemptState::Pending),
        (2, Observation::NoAnswer, AttemptState::Unknown),
        (3, declined(), AttemptState::Failed),
        (4, Observation::NotReached, AttemptState::Failed),
        (5, Observation::Voided, AttemptState::Voided),
        (6, Observation::Absent, AttemptState::Created),
    ] {
        let (order, payment) = shop.ordered(&[place]).await;
        shop.facts().await;
        shop.learn(payment, seen.clone()).await;
        assert_eq!(shop.states(order).await, (OrderState::AwaitingPayment, vec![expected]), "{seen:?}");
        assert_eq!(shop.places(&[place]).await, format!("{place}:claimed.1"));
        let told = shop.facts().await;
        let changed = OutboxEvent::OrderChanged { event: shop.event, order, state: OrderState::AwaitingPayment };
        assert_eq!(told, if expected == AttemptState::Created { vec![] } else { vec![changed] });
        let reason = shop.detail(order).await.attempts[0].reason.clone();
        assert_eq!(reason.is_some(), expected == AttemptState::Failed);
    }
    assert!(shop.balances().await.is_empty());
}

/// P2: silence frees nothing; a void does, together with the order.
pub async fn time_over_frees_the_places_only_with_the_providers_word<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1, 2]).await;
    shop.environment().advance(TO_PAY + PAY_BY_GRACE);
    for seen in [Observation::NoAnswer, Observation::NotReached, Observation::Absent] {
        shop.learn(payment, seen).await;
        assert_eq!(shop.places(&[1, 2]).await, "1:claimed.1 2:claimed.1");
    }
    shop.facts().await;
    assert_eq!(shop.learn(payment, Observation::Voided).await, Decision::Void { expire_order: true });
    assert_eq!(shop.states(order).await, (OrderState::Expired, vec![AttemptState::Voided]));
    assert_eq!(shop.places(&[1, 2]).await, "1:free.2 2:free.2");
    let facts = shop.facts().await;
    let [OutboxEvent::OrderChanged { state, .. }, OutboxEvent::PlacesChanged { effects, .. }] = facts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!((effects.len(), *state), (2, OrderState::Expired));
    shop.ordered(&[1, 2]).await;
}

/// Numbered, and only after the one before has ended.
pub async fn another_attempt_follows_a_failed_one<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, first) = shop.ordered(&[1]).await;
    shop.learn(first, declined()).await;
    let second = shop.an_attempt(PAID);
    let opened = shop.store().open_attempt(shop.organization, order, second.clone(), None).await.unwrap();
    assert!(matches!(opened, Ok(Created::Fresh(()))));
    let attempts = shop.store().attempts_of(shop.organization, order).await.unwrap();
    let numbers: Vec<_> = attempts.iter().map(|it| (it.id, it.number, it.state)).collect();
    assert_eq!(numbers, [(first, 1, AttemptState::Failed), (second.id, 2, AttemptState::Created)]);
    assert_eq!(shop.captured(second.id, PAID).await, Decision::Issue);
}

async fn open<S: Tier>(shop: &Shop<S>, order: OrderId) -> Result<Created<()>, Refusal> {
    shop.store().open_attempt(shop.organization, order, shop.an_attempt(PAID), None).await.unwrap()
}

/// Unresolved, paid, over, unknown, foreign.
pub async fn another_attempt_is_refused_where_it_must_be<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    for seen in [None, Some(Observation::Pending), Some(Observation::NoAnswer)] {
        if let Some(seen) = seen {
            shop.learn(payment, seen).await;
        }
        assert_code(open(&shop, order).await, Code::PaymentUnresolved);
    }
    shop.learn(payment, declined()).await;
    let foreign = shop.store().open_attempt(shop.stranger, order, shop.an_attempt(PAID), None).await.unwrap();
    assert_code(foreign, Code::NotFound);
    assert_code(open(&shop, fresh(shop.environment())).await, Code::NotFound);
    let (paid, ..) = shop.paid(&[2]).await;
    assert_code(open(&shop, paid).await, Code::NotPayable);
    shop.environment().advance(TO_PAY);
    assert_code(open(&shop, order).await, Code::NotPayable);
    assert_eq!(shop.states(order).await.1, [AttemptState::Failed], "nothing was written");
}

/// The same key, the same answer, one attempt.
pub async fn a_request_for_another_attempt_repeats<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    shop.learn(payment, declined()).await;
    let record = |request| {
        let key = IdempotencyKey { scope: "ord".into(), key: "again".into(), request };
        Some(IdempotencyRecord { key, answer: "the second attempt".into(), at: shop.environment().now() })
    };
    let open = async |request| {
        shop.store().open_attempt(shop.organization, order, shop.an_attempt(PAID), record(request)).await.unwrap()
    };
    assert!(matches!(open([1; 32]).await, Ok(Created::Fresh(()))));
    assert!(matches!(open([1; 32]).await, Ok(Created::Replayed(body)) if body == "the second attempt"));
    assert_code(open([2; 32]).await, Code::IdempotencyMismatch);
    assert_eq!(shop.detail(order).await.attempts.len(), 2);
}

async fn lease<S: Tier>(shop: &Shop<S>, payment: PaymentId, lasts: u64) -> bool {
    let now = shop.environment().now();
    let lease = SendLease { token: shop.environment().uuid(), until: now.plus(Duration::from_secs(lasts)) };
    shop.store().lease_send(shop.organization, payment, lease, now).await.unwrap().is_some()
}

/// Neither two at once, nor one after the time, nor one for what is decided.
pub async fn one_sender_at_a_time<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (_, payment) = shop.ordered(&[1]).await;
    let now = shop.environment().now();
    let mine = SendLease { token: shop.environment().uuid(), until: now.plus(Duration::from_secs(10)) };
    let foreign = shop.store().lease_send(shop.stranger, payment, mine, now).await.unwrap();
    assert_eq!(foreign, None);
    let leased = shop.store().lease_send(shop.organization, payment, mine, now).await.unwrap().unwrap();
    assert_eq!((leased.id, leased.state), (payment, AttemptState::Created));
    assert!(
        shop.store().lease_send(shop.organization, payment, mine, now).await.unwrap().is_some(),
        "the holder again"
    );
    assert!(!lease(&shop, payment, 10).await, "leased to another");
    shop.environment().advance(Duration::from_secs(10));
    assert!(lease(&shop, payment, 10).await, "it has lapsed");
    let (_, pending) = shop.ordered(&[2]).await;
    shop.learn(pending, Observation::Pending).await;
    assert!(!lease(&shop, pending, 10).await, "no longer created");
    let (_, over) = shop.ordered(&[3]).await;
    shop.environment().advance(TO_PAY);
    assert!(!lease(&shop, over, 10).await, "its time is over");
    assert!(!lease(&shop, fresh(shop.environment()), 10).await, "not there");
}

/// That the second was refused a connection proves nothing of what the first did.
pub async fn a_second_sender_knows_less<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    assert!(lease(&shop, payment, 1).await);
    shop.environment().advance(Duration::from_secs(1));
    assert!(lease(&shop, payment, 1).await);
    assert_eq!(shop.learn(payment, Observation::NotReached).await, Decision::Record(AttemptState::Unknown));
    assert_eq!(shop.states(order).await.1, [AttemptState::Unknown]);
}

/// Each once per round, the longest unasked first.
pub async fn unresolved_attempts_are_taken_in_turn<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let mut payments = Vec::new();
    for place in 0..5 {
        payments.push(shop.ordered(&[place]).await.1);
        shop.environment().advance(Duration::from_secs(1));
    }
    shop.captured(payments[1], PAID).await;
    shop.learn(payments[2], Observation::NoAnswer).await;
    shop.learn(payments[3], declined()).await;
    let take = async |ago, most| {
        let now = shop.environment().now();
        let taken = shop.store().take_unresolved(now.minus(Duration::from_secs(ago)), now, most).await.unwrap();
        taken.into_iter().map(|attempt| attempt.id).collect::<Vec<_>>()
    };
    assert_eq!(take(2, 1).await, [payments[0]]);
    assert_eq!(take(2, 9).await, [payments[2]], "the first was asked just now, the last is too young");
    assert_eq!(take(0, 9).await, [payments[4]]);
    assert_eq!(take(0, 9).await, []);
    shop.environment().advance(Duration::from_secs(3));
    let now = shop.environment().now();
    let (first, second) =
        tokio::join!(shop.store().take_unresolved(now, now, 2), shop.store().take_unresolved(now, now, 2),);
    let mut both: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).map(|attempt| attempt.id).collect();
    both.sort_unstable();
    assert_eq!(both, [payments[0], payments[2], payments[4]], "nobody is asked about by two");
}

/// Reads find nothing; learning of what is not there says so and changes nothing.
pub async fn strangers_learn_nothing<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment) = shop.ordered(&[1]).await;
    let (store, stranger) = (shop.store(), shop.stranger);
    assert_eq!(store.read_attempt(stranger, payment).await.unwrap(), None);
    assert_eq!(store.attempts_of(stranger, order).await.unwrap(), []);
    assert_eq!(store.refunds_of(stranger, order).await.unwrap(), []);
    let learned = store.learn(stranger, shop.learned(payment, captured(zar(PAID)))).await;
    assert_eq!(learned.unwrap(), Decision::NoAttempt);
    let missing: NewAttempt = shop.an_attempt(PAID);
    let learned = store.learn(shop.organization, shop.learned(missing.id, captured(zar(PAID)))).await;
    assert_eq!(learned.unwrap(), Decision::NoAttempt);
    assert_eq!(shop.states(order).await, (OrderState::AwaitingPayment, vec![AttemptState::Created]));
}
