//! Enforces limits over all orders: of a buyer, by session and by e-mail address, and of a promo code.

use std::time::Duration;

use voelgoed_app::environment::new_id;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::payments::apply_observation::UnmatchedCapture;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{HoldId, OrderId, SessionId};
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::{Code, Refusal};

use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{captured, place_state};

async fn field(shop: &TestPlatform, session: SessionId, quantity: u32, code: Option<&str>) -> CommandResult<HoldId> {
    let area = shop.slices.catalog.listings.listing(shop.scope).await?.layout.areas[1].id;
    let item = HoldItem::Area { area, quantity, ticket_type: shop.ticket_type, accessible: 0, companions: 0 };
    let command = HoldCommand {
        address: None,
        scope: shop.scope,
        session,
        items: vec![item],
        best_available: false,
        code: code.map(Into::into),
        repeatable: None,
    };
    Ok(shop.slices.ticketing.hold(command).await?.id)
}

fn refusal<T: std::fmt::Debug>(refused: CommandResult<T>) -> Refusal {
    match refused {
        Err(CommandError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn ordered(shop: &TestPlatform, hold: HoldId, email: &str) -> CommandResult<voelgoed_domain::ids::OrderId> {
    shop.order_as(hold, "once", email, Some("ok")).await?;
    shop.relay().await;
    Ok(shop.slices.checkout.orders.order_of_hold(shop.scope.organization, hold).await?.unwrap())
}

async fn rule(shop: &TestPlatform, code: &str, effect: PriceEffect, uses: (Option<u32>, Option<u32>)) {
    let draft = PriceRuleDraft {
        code: Some(code.into()),
        ticket_types: vec![],
        effect,
        starts_at: None,
        ends_at: None,
        uses_max: uses.0,
        uses_per_buyer_max: uses.1,
    };
    shop.slices.catalog.create_price_rule(shop.scope, draft, None).await.unwrap();
}

/// The event allows nine places.
#[tokio::test]
async fn buyer_has_no_more_places_in_two_orders_than_in_one() {
    let shop = TestPlatform::open().await;
    let (ann, other): (SessionId, SessionId) = (new_id(&*shop.environment), new_id(&*shop.environment));
    let first = field(&shop, ann, 6, None).await.unwrap();
    let made = ordered(&shop, first, "ann@example.org").await.unwrap();
    for (session, email) in [(ann, "someone@example.org"), (other, " ANN@Example.org")] {
        let more = field(&shop, session, 4, None).await.unwrap();
        let refused = refusal(ordered(&shop, more, email).await);
        let limit = refused.evidence.limit.unwrap();
        assert_eq!((refused.code, limit.name, limit.most), (Code::LimitReached, "places_per_session", 9), "{email}");
        shop.slices.ticketing.release_hold(shop.scope, more).await.unwrap();
    }
    let rest = field(&shop, other, 3, None).await.unwrap();
    ordered(&shop, rest, "Ann@example.org").await.unwrap();
    shop.slices.checkout.cancel_order(shop.scope.organization, made).await.ok();
    let stranger = field(&shop, new_id(&*shop.environment), 1, None).await.unwrap();
    ordered(&shop, stranger, "bea@example.org").await.unwrap();
}

#[tokio::test]
async fn promo_code_is_refused_once_its_uses_are_reached() {
    let shop = TestPlatform::open().await;
    rule(&shop, "two", PriceEffect::AmountOff(100), (Some(2), None)).await;
    rule(&shop, "once", PriceEffect::AmountOff(100), (None, Some(1))).await;
    let session = || new_id(&*shop.environment);
    let holds = [
        field(&shop, session(), 1, Some("two")).await.unwrap(),
        field(&shop, session(), 1, Some("TWO")).await.unwrap(),
        field(&shop, session(), 1, Some("two")).await.unwrap(),
    ];
    ordered(&shop, holds[0], "a@example.org").await.unwrap();
    ordered(&shop, holds[1], "b@example.org").await.unwrap();
    let refused = refusal(ordered(&shop, holds[2], "c@example.org").await);
    assert_eq!((refused.code, refused.evidence.limit.unwrap().name), (Code::LimitReached, "uses_max"));
    assert_eq!(refusal(field(&shop, session(), 1, Some("two")).await).code, Code::LimitReached, "refused early");
    let mine = field(&shop, session(), 1, Some("once")).await.unwrap();
    ordered(&shop, mine, "d@example.org").await.unwrap();
    let mine = field(&shop, session(), 1, Some("once")).await.unwrap();
    let refused = refusal(ordered(&shop, mine, "D@example.org").await);
    assert_eq!((refused.code, refused.evidence.limit.unwrap().name), (Code::LimitReached, "uses_per_buyer_max"));
}

#[tokio::test]
async fn promo_code_is_applied_to_a_hold() {
    let shop = TestPlatform::open().await;
    rule(&shop, "half", PriceEffect::BasisPointsOff(5_000), (None, None)).await;
    rule(&shop, "dear", PriceEffect::Price(99_000_000), (None, None)).await;
    let hold = field(&shop, new_id(&*shop.environment), 2, None).await.unwrap();
    let change = |code: &str| ChangeHold {
        scope: shop.scope,
        hold,
        add: vec![],
        remove: vec![],
        code: Some(code.into()),
        repeatable: None,
    };
    let refused = refusal(shop.slices.ticketing.change_hold(change("dear")).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("code")));
    let view = shop.slices.ticketing.change_hold(change("half")).await.unwrap();
    assert_eq!(view.places.iter().map(|place| place.price.amount).collect::<Vec<_>>(), [22_500, 22_500]);
    assert_eq!(view.terms.terms.code.as_deref(), Some("half"));
}

#[tokio::test]
async fn ticket_type_limits_the_tickets_of_one_buyer_over_all_orders() {
    let shop = TestPlatform::builder().ticket_type(|it| it.limits.max_per_buyer = Some(3)).open().await;
    let (ann, other): (SessionId, SessionId) = (new_id(&*shop.environment), new_id(&*shop.environment));
    let first = field(&shop, ann, 2, None).await.unwrap();
    ordered(&shop, first, "ann@example.org").await.unwrap();
    for (session, email) in [(ann, "bea@example.org"), (other, "ann@example.org")] {
        let two = field(&shop, session, 2, None).await.unwrap();
        let limit = refusal(ordered(&shop, two, email).await).evidence.limit.unwrap();
        assert_eq!((limit.name, limit.most), ("max_per_buyer", 3), "{email}");
        shop.slices.ticketing.release_hold(shop.scope, two).await.unwrap();
    }
    let one = field(&shop, other, 1, None).await.unwrap();
    ordered(&shop, one, "ann@example.org").await.unwrap();
    let three = field(&shop, new_id(&*shop.environment), 3, None).await.unwrap();
    ordered(&shop, three, "cleo@example.org").await.unwrap();
}

/// Orders all that one buyer may have at once, with a code that may be used once, and lets the order end unpaid.
async fn ended_unpaid(ends: impl AsyncFn(&TestPlatform, OrderId)) {
    let shop = TestPlatform::open().await;
    *shop.provider.answer.lock().unwrap() = Some(Observation::Voided);
    rule(&shop, "once", PriceEffect::AmountOff(100), (Some(1), None)).await;
    let ann: SessionId = new_id(&*shop.environment);
    let first = field(&shop, ann, 6, Some("once")).await.unwrap();
    let order = ordered(&shop, first, "ann@example.org").await.unwrap();
    ends(&shop, order).await;
    assert_eq!(place_state(&shop, 4).await, PlaceState::Free);
    shop.relay().await;
    let again = field(&shop, ann, 6, Some("once")).await.unwrap();
    ordered(&shop, again, "ann@example.org").await.unwrap();
}

#[tokio::test]
async fn order_that_was_cancelled_at_its_provider_counts_no_more_for_its_buyer_and_its_code() {
    ended_unpaid(async |shop, order| {
        shop.slices.checkout.cancel_order(shop.scope.organization, order).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn order_that_expired_at_its_provider_counts_no_more_for_its_buyer_and_its_code() {
    ended_unpaid(async |shop, _| {
        shop.environment.advance(Duration::from_secs(905));
        assert_eq!(shop.slices.payments.expire_orders().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn ended_order_stops_counting_for_its_buyer_and_its_code() {
    ended_unpaid(async |shop, order| {
        let (organization, declined) = (shop.scope.organization, Observation::Declined { reason: "no money".into() });
        *shop.provider.charge_answer.lock().unwrap() = Some(declined);
        let payment = shop.slices.checkout.read_order(organization, order).await.unwrap().attempts[0].id;
        shop.slices.payments.send_attempt(organization, payment).await.unwrap();
        shop.slices.checkout.cancel_order(organization, order).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn order_that_an_unmatched_capture_bought_again_counts_once_for_its_code() {
    let shop = TestPlatform::open().await;
    *shop.provider.answer.lock().unwrap() = Some(Observation::Voided);
    rule(&shop, "two", PriceEffect::AmountOff(100), (Some(2), None)).await;
    let held = field(&shop, new_id(&*shop.environment), 1, Some("two")).await.unwrap();
    let id = ordered(&shop, held, "ann@example.org").await.unwrap();
    shop.environment.advance(Duration::from_secs(905));
    shop.slices.payments.expire_orders().await.unwrap();
    shop.relay().await;
    let (organization, payments) = (shop.scope.organization, &shop.slices.payments);
    let order = shop.slices.checkout.read_order(organization, id).await.unwrap();
    let late = UnmatchedCapture { payment: order.attempts[0].id, captured: order.order.total };
    payments.apply_observation(organization, late.payment, captured(late.captured)).await.unwrap();
    payments.settle_unmatched_capture(organization, late).await.unwrap();
    assert_eq!(shop.slices.checkout.read_order(organization, id).await.unwrap().order.state, OrderState::Paid);
    for (email, valid) in [("bea@example.org", true), ("cleo@example.org", false)] {
        let other = field(&shop, new_id(&*shop.environment), 1, Some("two")).await;
        match valid {
            true => drop(ordered(&shop, other.unwrap(), email).await.unwrap()),
            false => assert_eq!(refusal(other).code, Code::LimitReached),
        }
    }
}
