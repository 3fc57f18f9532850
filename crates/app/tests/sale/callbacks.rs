//! Messages of a provider that claim odd amounts: never a fault, never a ticket on their word alone, and an end for the order.

use voelgoed_app::payments::callback::callback;
use voelgoed_app::payments::ports::{Callback, ProviderKey};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Observation;

use crate::bench::Bench;

fn captured(amount: Money) -> Observation {
    Observation::Captured { amount, provider_ref: "ref".into() }
}

/// What became of an order after a message claims `claim` and the provider, on being asked, says `answer`.
async fn after(claim: fn(Money) -> Money, answer: Option<fn(Money) -> Money>) -> (OrderState, AttemptState, usize) {
    let bench = Bench::open().await;
    let (platform, organization) = (&bench.platform, bench.scope.organization);
    let order = bench.ordered(0).await;
    let attempt = &order.attempts[0];
    let key = ProviderKey { organization, order: order.order.id, payment: attempt.id };
    let message = Callback { key, observation: captured(claim(attempt.amount)) };
    *bench.provider.message.lock().unwrap() = Some(message);
    *bench.provider.answer.lock().unwrap() = answer.map(|answer| captured(answer(attempt.amount)));
    callback(platform, "puppet", &[], b"").await.unwrap().unwrap();
    let detail = platform.orders.read_order(organization, order.order.id).await.unwrap().unwrap();
    (detail.order.state, detail.attempts[0].state, detail.tickets.len())
}

#[tokio::test]
async fn odd_claims_are_asked_about_and_change_nothing_while_nobody_knows() {
    let odd: [fn(Money) -> Money; 6] = [
        |it| Money { amount: 0, ..it },
        |it| Money { amount: -it.amount, ..it },
        |it| Money { amount: it.amount - 1, ..it },
        |it| Money { amount: it.amount + 1, ..it },
        |it| Money { amount: i64::MAX, ..it },
        |it| Money { currency: Currency::USD, ..it },
    ];
    for claim in odd {
        let unknown = after(claim, None).await;
        assert_eq!(
            unknown,
            (OrderState::AwaitingPayment, AttemptState::Created, 0),
            "{:?}",
            claim(Money::new(9, Currency::ZAR))
        );
        let whole = after(claim, Some(|it| it)).await;
        assert_eq!(whole, (OrderState::Paid, AttemptState::Captured, 1));
        let part = after(claim, Some(|it| Money { amount: 1, ..it })).await;
        assert_eq!(part, (OrderState::AwaitingPayment, AttemptState::CapturedLate, 0));
    }
    let nothing = after(odd[0], Some(|it| Money { amount: 0, ..it })).await;
    assert_eq!(nothing, (OrderState::AwaitingPayment, AttemptState::Failed, 0));
    let fits = after(|it| it, None).await;
    assert_eq!(fits, (OrderState::Paid, AttemptState::Captured, 1));
}

#[tokio::test]
async fn a_message_about_a_payment_that_is_not_here_is_answered_and_changes_nothing() {
    let bench = Bench::open().await;
    let (platform, organization) = (&bench.platform, bench.scope.organization);
    let order = bench.ordered(0).await;
    let (id, payment) = (order.order.id, order.attempts[0].id);
    let nobody = uuid::Uuid::nil();
    for key in [
        ProviderKey { organization, order: id, payment: PaymentId::from_uuid(nobody) },
        ProviderKey { organization: OrganizationId::from_uuid(nobody), order: id, payment },
    ] {
        let observation = captured(order.attempts[0].amount);
        *bench.provider.message.lock().unwrap() = Some(Callback { key, observation });
        callback(platform, "puppet", &[], b"").await.unwrap().unwrap();
    }
    let detail = platform.orders.read_order(organization, id).await.unwrap().unwrap();
    assert_eq!((detail.order.state, detail.attempts[0].state), (OrderState::AwaitingPayment, AttemptState::Created));
}

#[tokio::test]
async fn references_of_a_provider_are_stored_without_what_no_store_keeps() {
    for (reference, stored) in
        [("a\0b\u{1b}c", "abc".to_owned()), (&"x".repeat(100_000), "x".repeat(500)), ("\0", String::new())]
    {
        let bench = Bench::open().await;
        let (platform, organization) = (&bench.platform, bench.scope.organization);
        let order = bench.ordered(0).await;
        let attempt = &order.attempts[0];
        let key = ProviderKey { organization, order: order.order.id, payment: attempt.id };
        let observation = Observation::Captured { amount: attempt.amount, provider_ref: reference.to_owned() };
        *bench.provider.message.lock().unwrap() = Some(Callback { key, observation });
        callback(platform, "puppet", &[], b"").await.unwrap().unwrap();
        let detail = platform.orders.read_order(organization, order.order.id).await.unwrap().unwrap();
        assert_eq!(detail.order.state, OrderState::Paid);
        assert_eq!(detail.attempts[0].provider_ref.as_deref(), Some(stored.as_str()));
    }
}
