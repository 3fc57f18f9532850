//! Handles callbacks that claim a wrong amount: the provider is polled before a ticket is issued, and the order ends.

use voelgoed_app::payments::ports::{Callback, ProviderKey};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Observation;

use voelgoed_testkit::platform::TestPlatform;

fn captured(amount: Money) -> Observation {
    Observation::Captured { amount, provider_ref: "ref".into() }
}

/// The state of an order after a message claims `claim` and a poll of the provider returns `answer`.
async fn after(claim: fn(Money) -> Money, answer: Option<fn(Money) -> Money>) -> (OrderState, AttemptState, usize) {
    let shop = TestPlatform::open().await;
    let (slices, organization) = (&shop.slices, shop.scope.organization);
    let order = shop.order_seat(0).await;
    let attempt = &order.attempts[0];
    let key = ProviderKey { organization, order: order.order.id, payment: attempt.id };
    let message = Callback { key, observation: captured(claim(attempt.amount)) };
    *shop.provider.message.lock().unwrap() = Some(message);
    *shop.provider.answer.lock().unwrap() = answer.map(|answer| captured(answer(attempt.amount)));
    slices.payments.handle_callback("puppet", &[], b"").await.unwrap().unwrap();
    let detail = slices.checkout.orders.read_order(organization, order.order.id).await.unwrap().unwrap();
    (detail.order.state, detail.attempts[0].state, detail.tickets.len())
}

#[tokio::test]
async fn claim_of_another_amount_changes_nothing_until_the_provider_confirms_it() {
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
        assert_eq!(part, (OrderState::AwaitingPayment, AttemptState::CapturedUnmatched, 0));
    }
    let nothing = after(odd[0], Some(|it| Money { amount: 0, ..it })).await;
    assert_eq!(nothing, (OrderState::AwaitingPayment, AttemptState::Failed, 0));
    let fits = after(|it| it, None).await;
    assert_eq!(fits, (OrderState::Paid, AttemptState::Captured, 1));
}

#[tokio::test]
async fn callback_for_an_unknown_payment_is_acknowledged_and_changes_nothing() {
    let shop = TestPlatform::open().await;
    let (slices, organization) = (&shop.slices, shop.scope.organization);
    let order = shop.order_seat(0).await;
    let (id, payment) = (order.order.id, order.attempts[0].id);
    let nil = uuid::Uuid::nil();
    for key in [
        ProviderKey { organization, order: id, payment: PaymentId::from_uuid(nil) },
        ProviderKey { organization: OrganizationId::from_uuid(nil), order: id, payment },
    ] {
        let observation = captured(order.attempts[0].amount);
        *shop.provider.message.lock().unwrap() = Some(Callback { key, observation });
        slices.payments.handle_callback("puppet", &[], b"").await.unwrap().unwrap();
    }
    let detail = slices.checkout.orders.read_order(organization, id).await.unwrap().unwrap();
    assert_eq!((detail.order.state, detail.attempts[0].state), (OrderState::AwaitingPayment, AttemptState::Created));
}

#[tokio::test]
async fn reference_of_a_provider_is_stored_truncated_and_without_control_characters() {
    for (reference, stored) in
        [("a\0b\u{1b}c", "abc".to_owned()), (&"x".repeat(100_000), "x".repeat(500)), ("\0", String::new())]
    {
        let shop = TestPlatform::open().await;
        let (slices, organization) = (&shop.slices, shop.scope.organization);
        let order = shop.order_seat(0).await;
        let attempt = &order.attempts[0];
        let key = ProviderKey { organization, order: order.order.id, payment: attempt.id };
        let observation = Observation::Captured { amount: attempt.amount, provider_ref: reference.to_owned() };
        *shop.provider.message.lock().unwrap() = Some(Callback { key, observation });
        slices.payments.handle_callback("puppet", &[], b"").await.unwrap().unwrap();
        let detail = slices.checkout.orders.read_order(organization, order.order.id).await.unwrap().unwrap();
        assert_eq!(detail.order.state, OrderState::Paid);
        assert_eq!(detail.attempts[0].provider_ref.as_deref(), Some(stored.as_str()));
    }
}
