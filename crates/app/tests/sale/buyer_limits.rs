//! Limits that reach over orders: of a buyer, by session and by e-mail address, and of a promo code.

use voelgoed_app::catalog::create_price_rule::create_price_rule;
use voelgoed_app::checkout::cancel_order::cancel_order;
use voelgoed_app::environment::fresh;
use voelgoed_app::error::{Error, Result};
use voelgoed_app::ticketing::change_hold::{ChangeHold, change_hold};
use voelgoed_app::ticketing::hold::{HoldCommand, hold};
use voelgoed_app::ticketing::picks::Item;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::refusal::{Code, Refusal};

use crate::bench::Bench;

async fn field(bench: &Bench, session: SessionId, quantity: u32, code: Option<&str>) -> Result<HoldId> {
    let area = bench.platform.listings.listing(bench.scope).await?.layout.areas[1].id;
    let item = Item::Area { area, quantity, ticket_type: bench.ticket_type, accessible: 0, companions: 0 };
    let command = HoldCommand {
        address: None,
        scope: bench.scope,
        session,
        items: vec![item],
        best_available: false,
        code: code.map(Into::into),
        repeatable: None,
    };
    Ok(hold(&bench.platform, command).await?.id)
}

fn refusal<T: std::fmt::Debug>(refused: Result<T>) -> Refusal {
    match refused {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn ordered(bench: &Bench, hold: HoldId, email: &str) -> Result<voelgoed_domain::ids::OrderId> {
    bench.order_of(hold, "once", email, Some("ok")).await?;
    bench.relayed(hold).await;
    Ok(bench.platform.orders.order_of_hold(bench.scope.organization, hold).await?.unwrap())
}

async fn rule(bench: &Bench, code: &str, effect: PriceEffect, uses: (Option<u32>, Option<u32>)) {
    let draft = PriceRuleDraft {
        code: Some(code.into()),
        ticket_types: vec![],
        effect,
        starts_at: None,
        ends_at: None,
        uses_max: uses.0,
        uses_per_buyer_max: uses.1,
    };
    create_price_rule(&bench.platform, bench.scope, draft, None).await.unwrap();
}

/// The event allows nine places.
#[tokio::test]
async fn a_buyer_has_no_more_places_in_two_orders_than_in_one() {
    let bench = Bench::open().await;
    let (ann, other): (SessionId, SessionId) = (fresh(&*bench.environment), fresh(&*bench.environment));
    let first = field(&bench, ann, 6, None).await.unwrap();
    let made = ordered(&bench, first, "ann@example.org").await.unwrap();
    for (session, email) in [(ann, "someone@example.org"), (other, " ANN@Example.org")] {
        let more = field(&bench, session, 4, None).await.unwrap();
        let refused = refusal(ordered(&bench, more, email).await);
        let limit = refused.evidence.limit.unwrap();
        assert_eq!((refused.code, limit.name, limit.most), (Code::LimitReached, "places_per_session", 9), "{email}");
        voelgoed_app::ticketing::release_hold::release_hold(&bench.platform, bench.scope, more).await.unwrap();
    }
    let rest = field(&bench, other, 3, None).await.unwrap();
    ordered(&bench, rest, "Ann@example.org").await.unwrap();
    cancel_order(&bench.platform, bench.scope.organization, made).await.ok();
    let stranger = field(&bench, fresh(&*bench.environment), 1, None).await.unwrap();
    ordered(&bench, stranger, "bea@example.org").await.unwrap();
}

#[tokio::test]
async fn a_code_is_used_as_often_as_it_says() {
    let bench = Bench::open().await;
    rule(&bench, "two", PriceEffect::AmountOff(100), (Some(2), None)).await;
    rule(&bench, "once", PriceEffect::AmountOff(100), (None, Some(1))).await;
    let session = || fresh(&*bench.environment);
    let holds = [
        field(&bench, session(), 1, Some("two")).await.unwrap(),
        field(&bench, session(), 1, Some("TWO")).await.unwrap(),
        field(&bench, session(), 1, Some("two")).await.unwrap(),
    ];
    ordered(&bench, holds[0], "a@example.org").await.unwrap();
    ordered(&bench, holds[1], "b@example.org").await.unwrap();
    let refused = refusal(ordered(&bench, holds[2], "c@example.org").await);
    assert_eq!((refused.code, refused.evidence.limit.unwrap().name), (Code::LimitReached, "uses_max"));
    assert_eq!(refusal(field(&bench, session(), 1, Some("two")).await).code, Code::LimitReached, "refused early");
    let mine = field(&bench, session(), 1, Some("once")).await.unwrap();
    ordered(&bench, mine, "d@example.org").await.unwrap();
    let mine = field(&bench, session(), 1, Some("once")).await.unwrap();
    let refused = refusal(ordered(&bench, mine, "D@example.org").await);
    assert_eq!((refused.code, refused.evidence.limit.unwrap().name), (Code::LimitReached, "uses_per_buyer_max"));
}

#[tokio::test]
async fn a_code_may_be_given_after_the_hold() {
    let bench = Bench::open().await;
    rule(&bench, "half", PriceEffect::BasisPointsOff(5_000), (None, None)).await;
    rule(&bench, "dear", PriceEffect::Price(99_000_000), (None, None)).await;
    let hold = field(&bench, fresh(&*bench.environment), 2, None).await.unwrap();
    let change = |code: &str| ChangeHold {
        scope: bench.scope,
        hold,
        add: vec![],
        remove: vec![],
        code: Some(code.into()),
        repeatable: None,
    };
    let refused = refusal(change_hold(&bench.platform, change("dear")).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("code")));
    let view = change_hold(&bench.platform, change("half")).await.unwrap();
    assert_eq!(view.places.iter().map(|place| place.price.amount).collect::<Vec<_>>(), [22_500, 22_500]);
    assert_eq!(view.terms.terms.code.as_deref(), Some("half"));
}
