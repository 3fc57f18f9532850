//! Replays requests: the same request under a key gets its first answer, even if it would be refused now; another request under the key is refused.

use std::time::Duration;

use voelgoed_app::environment::new_id;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::idempotency::Created;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_domain::catalog::event::EventTransition;
use voelgoed_domain::ids::SessionId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_resilience::{Dependency, DependencyHealth};

use voelgoed_testkit::platform::TestPlatform;

/// A hold of some of the field's ten places.
async fn field(
    shop: &TestPlatform,
    session: SessionId,
    quantity: u32,
    digest: u8,
    key: &str,
) -> CommandResult<HoldView> {
    let listing = shop.slices.catalog.listings.listing(shop.scope).await?;
    let area = listing.layout.areas[1].id;
    let item = HoldItem::Area { area, quantity, ticket_type: shop.ticket_type, accessible: 0, companions: 0 };
    let command = HoldCommand {
        address: None,
        scope: shop.scope,
        session,
        items: vec![item],
        best_available: true,
        code: None,
        repeatable: Some((key.into(), [digest; 32])),
    };
    shop.slices.ticketing.hold(command).await
}

/// All that an answer shows.
fn shown(view: &HoldView) -> String {
    format!("{:?}", (view.id, &view.places, &view.terms.terms, view.record.expires_at, view.record.epoch, view.now))
}

fn code(refused: CommandResult<HoldView>) -> Code {
    match refused {
        Err(CommandError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

fn add(shop: &TestPlatform, held: &HoldView, place: u32, key: &str) -> ChangeHold {
    ChangeHold {
        scope: shop.scope,
        hold: held.id,
        add: vec![HoldItem::Place { place: PlaceNumber(place), ticket_type: shop.ticket_type, accessible: true }],
        remove: Vec::new(),
        code: None,
        repeatable: Some((key.into(), [place as u8; 32])),
    }
}

#[tokio::test]
async fn repeated_hold_of_the_last_places_is_replayed() {
    let shop = TestPlatform::open().await;
    let (ann, bea): (SessionId, SessionId) = (new_id(&*shop.environment), new_id(&*shop.environment));
    field(&shop, bea, 5, 1, "one").await.unwrap();
    let first = field(&shop, ann, 5, 1, "one").await.unwrap();
    shop.environment.advance(Duration::from_secs(7));
    let again = field(&shop, ann, 5, 1, "one").await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(shown(&first), shown(&again));
    assert_eq!(code(field(&shop, ann, 4, 1, "two").await), Code::SoldOut, "another key is another request");
    assert_eq!(code(field(&shop, ann, 4, 2, "one").await), Code::IdempotencyMismatch);
    let cleo: SessionId = new_id(&*shop.environment);
    assert_eq!(code(field(&shop, cleo, 5, 1, "one").await), Code::SoldOut, "another session has keys of its own");
}

#[tokio::test]
async fn repeated_hold_is_replayed_after_the_sale_has_ended() {
    let shop = TestPlatform::open().await;
    let ann: SessionId = new_id(&*shop.environment);
    let first = field(&shop, ann, 6, 1, "one").await.unwrap();
    shop.slices.catalog.transition_event(shop.scope, EventTransition::Close).await.unwrap();
    assert_eq!(shown(&field(&shop, ann, 6, 1, "one").await.unwrap()), shown(&first));
    assert_eq!(code(field(&shop, ann, 6, 2, "one").await), Code::IdempotencyMismatch);
    assert_eq!(code(field(&shop, ann, 1, 1, "two").await), Code::SaleClosed);
}

#[tokio::test]
async fn repeated_hold_and_change_are_replayed_after_later_changes_and_the_order() {
    let shop = TestPlatform::open().await;
    let ann: SessionId = new_id(&*shop.environment);
    let first = field(&shop, ann, 2, 1, "one").await.unwrap();
    let added = shop.slices.ticketing.change_hold(add(&shop, &first, 0, "add")).await.unwrap();
    assert_eq!(added.places.len(), 3);
    let again = shop.slices.ticketing.change_hold(add(&shop, &first, 0, "add")).await.unwrap();
    assert_eq!(shown(&again), shown(&added), "nothing was added twice");
    let more = shop.slices.ticketing.change_hold(add(&shop, &first, 1, "more")).await.unwrap();
    assert_eq!(more.places.len(), 4);
    assert_eq!(code(shop.slices.ticketing.change_hold(add(&shop, &first, 3, "more")).await), Code::IdempotencyMismatch);
    shop.order(first.id).await.unwrap();
    shop.relay().await;
    shop.environment.advance(Duration::from_secs(3));
    for (repeat, before) in [
        (field(&shop, ann, 2, 1, "one").await, &first),
        (shop.slices.ticketing.change_hold(add(&shop, &first, 0, "add")).await, &added),
        (shop.slices.ticketing.change_hold(add(&shop, &first, 1, "more")).await, &more),
    ] {
        assert_eq!(shown(&repeat.unwrap()), shown(before));
    }
    assert_eq!(code(shop.slices.ticketing.change_hold(add(&shop, &first, 3, "late")).await), Code::AlreadyOrdered);
}

#[tokio::test]
async fn repeated_order_is_replayed_after_its_hold_expired_and_while_warm_is_down() {
    let shop = TestPlatform::open().await;
    let hold = shop.hold_seat(0).await;
    let Created::Fresh(_) = shop.order(hold).await.unwrap() else { panic!("a replay") };
    // Long after the hold is over, and while the provider is gone.
    shop.environment.advance(Duration::from_secs(3 * 3600));
    assert!(matches!(shop.order(hold).await.unwrap(), Created::Replayed(_)));
    shop.slices.context.capabilities.report(Dependency::Warm, DependencyHealth::Down);
    assert!(matches!(shop.order(hold).await.unwrap(), Created::Replayed(_)));
}

#[tokio::test]
async fn second_order_of_a_hold_is_refused_with_the_order_and_its_token() {
    let shop = TestPlatform::open().await;
    let hold = shop.hold_seat(0).await;
    let Created::Fresh(made) = shop.order(hold).await.unwrap() else { panic!("a replay") };
    let Err(CommandError::Refused(refusal)) = shop.order_with_key(hold, "another key").await else {
        panic!("not refused")
    };
    assert_eq!((refusal.code, refusal.evidence.order), (Code::AlreadyOrdered, Some(made.order.id)));
    let token = refusal.evidence.token.unwrap();
    let scope = shop.slices.checkout.scope_of_token(made.order.id, &token).await;
    assert_eq!(scope.unwrap(), shop.scope);
}

#[tokio::test]
async fn token_of_a_hold_opens_the_order_made_from_it_only() {
    use voelgoed_app::token::TokenKind;

    let shop = TestPlatform::open().await;
    let (own, other) = (shop.order_seat(0).await, shop.order_seat(1).await);
    let token = shop.slices.context.tokens.mint(TokenKind::Hold, shop.scope, own.order.hold);
    assert_eq!(shop.slices.checkout.scope_of_token(own.order.id, &token).await.unwrap(), shop.scope);
    for wrong in [(other.order.id, token.as_str()), (own.order.id, "x"), (new_id(&*shop.environment), token.as_str())] {
        let refused = shop.slices.checkout.scope_of_token(wrong.0, wrong.1).await.unwrap_err();
        assert!(matches!(&refused, CommandError::Refused(refusal) if refusal.code == Code::NotFound), "{refused:?}");
    }
}
