//! A repeat with the same key is answered as the first request was, whatever would refuse it now; another request under the key is not.

use std::time::Duration;

use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::environment::fresh;
use voelgoed_app::error::{Error, Result};
use voelgoed_app::idempotency::Created;
use voelgoed_app::ticketing::change_hold::{ChangeHold, change_hold};
use voelgoed_app::ticketing::hold::{HoldCommand, hold};
use voelgoed_app::ticketing::picks::Item;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_domain::catalog::event::EventAct;
use voelgoed_domain::ids::SessionId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_resilience::{Dependency, Health};

use crate::bench::Bench;

/// Some places of the field, which has ten.
async fn field(bench: &Bench, session: SessionId, quantity: u32, digest: u8, key: &str) -> Result<HoldView> {
    let listing = bench.platform.listings.listing(bench.scope).await?;
    let area = listing.layout.areas[1].id;
    let item = Item::Area { area, quantity, ticket_type: bench.ticket_type, accessible: 0, companions: 0 };
    let command = HoldCommand {
        address: None,
        scope: bench.scope,
        session,
        items: vec![item],
        best_available: true,
        code: None,
        repeatable: Some((key.into(), [digest; 32])),
    };
    hold(&bench.platform, command).await
}

/// All that an answer shows.
fn shown(view: &HoldView) -> String {
    format!("{:?}", (view.id, &view.places, &view.terms.terms, view.record.expires_at, view.record.epoch, view.now))
}

fn code(refused: Result<HoldView>) -> Code {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

fn add(bench: &Bench, held: &HoldView, place: u32, key: &str) -> ChangeHold {
    ChangeHold {
        scope: bench.scope,
        hold: held.id,
        add: vec![Item::Place { place: PlaceNumber(place), ticket_type: bench.ticket_type, accessible: true }],
        remove: Vec::new(),
        code: None,
        repeatable: Some((key.into(), [place as u8; 32])),
    }
}

#[tokio::test]
async fn a_repeat_of_the_hold_that_took_the_last_places_is_answered() {
    let bench = Bench::open().await;
    let (ann, bea): (SessionId, SessionId) = (fresh(&*bench.environment), fresh(&*bench.environment));
    field(&bench, bea, 5, 1, "one").await.unwrap();
    let first = field(&bench, ann, 5, 1, "one").await.unwrap();
    bench.environment.advance(Duration::from_secs(7));
    let again = field(&bench, ann, 5, 1, "one").await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(shown(&first), shown(&again));
    assert_eq!(code(field(&bench, ann, 4, 1, "two").await), Code::SoldOut, "another key asks anew");
    assert_eq!(code(field(&bench, ann, 4, 2, "one").await), Code::IdempotencyMismatch);
    let cleo: SessionId = fresh(&*bench.environment);
    assert_eq!(code(field(&bench, cleo, 5, 1, "one").await), Code::SoldOut, "another session has keys of its own");
}

#[tokio::test]
async fn a_repeat_is_answered_after_the_sale_has_ended() {
    let bench = Bench::open().await;
    let ann: SessionId = fresh(&*bench.environment);
    let first = field(&bench, ann, 6, 1, "one").await.unwrap();
    move_event(&bench.platform, bench.scope, EventAct::Close).await.unwrap();
    assert_eq!(shown(&field(&bench, ann, 6, 1, "one").await.unwrap()), shown(&first));
    assert_eq!(code(field(&bench, ann, 6, 2, "one").await), Code::IdempotencyMismatch);
    assert_eq!(code(field(&bench, ann, 1, 1, "two").await), Code::SaleClosed);
}

#[tokio::test]
async fn a_repeat_is_answered_as_before_although_the_hold_has_changed_or_become_an_order() {
    let bench = Bench::open().await;
    let ann: SessionId = fresh(&*bench.environment);
    let first = field(&bench, ann, 2, 1, "one").await.unwrap();
    let added = change_hold(&bench.platform, add(&bench, &first, 0, "add")).await.unwrap();
    assert_eq!(added.places.len(), 3);
    let again = change_hold(&bench.platform, add(&bench, &first, 0, "add")).await.unwrap();
    assert_eq!(shown(&again), shown(&added), "nothing was added twice");
    let more = change_hold(&bench.platform, add(&bench, &first, 1, "more")).await.unwrap();
    assert_eq!(more.places.len(), 4);
    assert_eq!(code(change_hold(&bench.platform, add(&bench, &first, 3, "more")).await), Code::IdempotencyMismatch);
    bench.order(first.id).await.unwrap();
    bench.relayed(first.id).await;
    bench.environment.advance(Duration::from_secs(3));
    for (repeat, before) in [
        (field(&bench, ann, 2, 1, "one").await, &first),
        (change_hold(&bench.platform, add(&bench, &first, 0, "add")).await, &added),
        (change_hold(&bench.platform, add(&bench, &first, 1, "more")).await, &more),
    ] {
        assert_eq!(shown(&repeat.unwrap()), shown(before));
    }
    assert_eq!(code(change_hold(&bench.platform, add(&bench, &first, 3, "late")).await), Code::AlreadyOrdered);
}

#[tokio::test]
async fn a_repeat_of_an_order_is_answered_whatever_refuses_it_now() {
    let bench = Bench::open().await;
    let hold = bench.held(0).await;
    let Created::Fresh(_) = bench.order(hold).await.unwrap() else { panic!("a replay") };
    // Long after the hold is over, and while the provider is gone.
    bench.environment.advance(Duration::from_secs(3 * 3600));
    assert!(matches!(bench.order(hold).await.unwrap(), Created::Replayed(_)));
    bench.platform.capabilities.report(Dependency::Warm, Health::Down);
    assert!(matches!(bench.order(hold).await.unwrap(), Created::Replayed(_)));
}

#[tokio::test]
async fn whoever_ordered_already_gets_the_order_and_its_token() {
    let bench = Bench::open().await;
    let hold = bench.held(0).await;
    let Created::Fresh(made) = bench.order(hold).await.unwrap() else { panic!("a replay") };
    let Err(Error::Refused(refusal)) = bench.order_with(hold, "another key").await else { panic!("not refused") };
    assert_eq!((refusal.code, refusal.evidence.order), (Code::AlreadyOrdered, Some(made.order.id)));
    let token = refusal.evidence.token.unwrap();
    let scope = voelgoed_app::checkout::read_order::scope_of_token(&bench.platform, made.order.id, &token).await;
    assert_eq!(scope.unwrap(), bench.scope);
}

#[tokio::test]
async fn the_token_of_a_hold_opens_the_order_that_was_made_from_it_and_no_other() {
    use voelgoed_app::checkout::read_order::scope_of_token;
    use voelgoed_app::token::TokenKind;

    let bench = Bench::open().await;
    let (own, other) = (bench.ordered(0).await, bench.ordered(1).await);
    let token = bench.platform.tokens.mint(TokenKind::Hold, bench.scope, own.order.hold);
    assert_eq!(scope_of_token(&bench.platform, own.order.id, &token).await.unwrap(), bench.scope);
    for wrong in [(other.order.id, token.as_str()), (own.order.id, "x"), (fresh(&*bench.environment), token.as_str())] {
        let refused = scope_of_token(&bench.platform, wrong.0, wrong.1).await.unwrap_err();
        assert!(matches!(&refused, Error::Refused(refusal) if refusal.code == Code::NotFound), "{refused:?}");
    }
}
