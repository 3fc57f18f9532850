//! Changes a hold: all or nothing, at the prices of what stays, and again where another change overtakes it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::error::CommandResult;
use voelgoed_app::ticketing::Ticketing;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_app::ticketing::change_hold::ChangeHold;
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold::{CAPPED_PLACES_MAX, HoldCommand};
use voelgoed_app::ticketing::hold_terms::ANSWERED_CHANGES_MAX;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::{Occupancy, SeatView};
use voelgoed_domain::catalog::event::EventTransition;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRuleDraft};
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::{EmptySeatView, TestPlatform};

use crate::support::{code, created, hold, hold_command, limit, places, places_of_area, refusal, seat, session};

/// How often a change is tried.
const TRIES_MAX: usize = 5;

fn change(scope: EventScope, hold: HoldId) -> ChangeHold {
    ChangeHold { scope, hold, add: vec![], remove: vec![], code: None, repeatable: None }
}

fn adding(shop: &TestPlatform, held: &HoldView, place: u32) -> ChangeHold {
    ChangeHold { add: vec![seat(shop, place)], ..change(shop.scope, held.id) }
}

fn removing(shop: &TestPlatform, held: &HoldView, removed: &[u32]) -> ChangeHold {
    ChangeHold { remove: removed.iter().copied().map(PlaceNumber).collect(), ..change(shop.scope, held.id) }
}

async fn price_rule(shop: &TestPlatform, code: Option<&str>, effect: PriceEffect, uses_max: Option<u32>) {
    let draft = PriceRuleDraft {
        code: code.map(Into::into),
        ticket_types: vec![],
        effect,
        starts_at: None,
        ends_at: None,
        uses_max,
        uses_per_buyer_max: None,
    };
    created(shop.slices.catalog.create_price_rule(shop.scope, draft, None).await);
}

fn prices(view: &HoldView) -> Vec<i64> {
    view.places.iter().map(|place| place.price.amount).collect()
}

#[tokio::test]
async fn added_seat_is_held_until_the_end_of_the_hold() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.environment.advance(Duration::from_secs(60));
    let changed = shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await.unwrap();
    assert_eq!(places(&changed), [0, 3]);
    assert_eq!(changed.record.expires_at, held.record.expires_at);
    assert_eq!((changed.record.version, changed.replayed), (2, false));
    assert_eq!(changed.now, held.now.plus(Duration::from_secs(60)));
    assert_eq!(code(hold(&shop, vec![seat(&shop, 3)]).await), Code::PlaceTaken);
}

#[tokio::test]
async fn removed_seat_is_free_for_others() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0), seat(&shop, 3)]).await.unwrap();
    let changed = shop.slices.ticketing.change_hold(removing(&shop, &held, &[0])).await.unwrap();
    assert_eq!(places(&changed), [3]);
    assert_eq!(places(&hold(&shop, vec![seat(&shop, 0)]).await.unwrap()), [0]);
}

#[tokio::test]
async fn seat_is_exchanged_in_one_change() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let exchange = ChangeHold { remove: vec![PlaceNumber(0)], ..adding(&shop, &held, 3) };
    assert_eq!(places(&shop.slices.ticketing.change_hold(exchange).await.unwrap()), [3]);
}

#[tokio::test]
async fn exchange_for_a_taken_seat_is_refused_and_keeps_the_old_one() {
    let shop = TestPlatform::open().await;
    hold(&shop, vec![seat(&shop, 3)]).await.unwrap();
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let exchange = ChangeHold { remove: vec![PlaceNumber(0)], ..adding(&shop, &held, 3) };
    let refused = refusal(shop.slices.ticketing.change_hold(exchange).await);
    assert_eq!((refused.code, refused.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(3)]));
    let after = shop.slices.ticketing.read_hold(shop.scope, held.id).await.unwrap();
    assert_eq!((places(&after), after.record.version), (vec![0], 1));
}

#[tokio::test]
async fn removal_of_all_places_is_refused() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0), seat(&shop, 3)]).await.unwrap();
    let refused = refusal(shop.slices.ticketing.change_hold(removing(&shop, &held, &[0, 3])).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("remove")));
}

#[tokio::test]
async fn place_that_stays_keeps_its_price_and_an_added_one_has_the_present_price() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    price_rule(&shop, None, PriceEffect::AmountOff(5_000), None).await;
    let changed = shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await.unwrap();
    assert_eq!(prices(&changed), [45_000, 40_000]);
    let changed = shop.slices.ticketing.change_hold(removing(&shop, &held, &[3])).await.unwrap();
    assert_eq!(prices(&changed), [45_000]);
}

#[tokio::test]
async fn promo_code_of_a_hold_counts_for_added_places_and_stays_with_the_rest() {
    let shop = TestPlatform::open().await;
    price_rule(&shop, Some("half"), PriceEffect::BasisPointsOff(5_000), None).await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let with_code = ChangeHold { code: Some("half".into()), ..change(shop.scope, held.id) };
    assert_eq!(prices(&shop.slices.ticketing.change_hold(with_code).await.unwrap()), [22_500]);
    let added = shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await.unwrap();
    assert_eq!(prices(&added), [22_500, 22_500]);
    let removed = shop.slices.ticketing.change_hold(removing(&shop, &held, &[0])).await.unwrap();
    assert_eq!((prices(&removed), removed.terms.terms.code.as_deref()), (vec![22_500], Some("half")));
}

#[tokio::test]
async fn used_up_code_is_refused_in_a_change() {
    let shop = TestPlatform::open().await;
    price_rule(&shop, Some("one"), PriceEffect::AmountOff(100), Some(1)).await;
    let with_code = |hold| ChangeHold { code: Some("one".into()), ..change(shop.scope, hold) };
    let first = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.slices.ticketing.change_hold(with_code(first.id)).await.unwrap();
    let second = hold(&shop, vec![seat(&shop, 3)]).await.unwrap();
    created(shop.order(first.id).await);
    let refused = shop.slices.ticketing.change_hold(with_code(second.id)).await;
    assert_eq!(limit(refused), (Code::LimitReached, "uses_max", 1));
}

#[tokio::test]
async fn hold_can_be_changed_until_the_second_of_its_end() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.environment.advance(Duration::from_secs(600) - Duration::from_micros(1));
    shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await.unwrap();
    shop.environment.advance(Duration::from_micros(1));
    assert_eq!(code(shop.slices.ticketing.change_hold(removing(&shop, &held, &[0])).await), Code::HoldExpired);
    assert_eq!(code(shop.slices.ticketing.read_hold(shop.scope, held.id).await), Code::HoldExpired);
}

#[tokio::test]
async fn repeated_change_is_replayed_after_the_sale_was_closed_and_another_request_is_not() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let once = |place: u32, digest| ChangeHold {
        repeatable: Some(("once".into(), [digest; 32])),
        ..adding(&shop, &held, place)
    };
    let first = shop.slices.ticketing.change_hold(once(3, 1)).await.unwrap();
    shop.slices.catalog.transition_event(shop.scope, EventTransition::Close).await.unwrap();
    let again = shop.slices.ticketing.change_hold(once(3, 1)).await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!((places(&again), again.now), (places(&first), first.now));
    assert_eq!(code(shop.slices.ticketing.change_hold(once(2, 2)).await), Code::IdempotencyMismatch);
    let new = ChangeHold { repeatable: Some(("new".into(), [1; 32])), ..adding(&shop, &held, 2) };
    assert_eq!(code(shop.slices.ticketing.change_hold(new).await), Code::SaleClosed);
}

#[tokio::test]
async fn changes_of_a_client_address_count_the_places_that_it_holds() {
    let most = PlacesPerAddress { places_max: 3, share_max: 0.0 };
    let shop = TestPlatform::builder().places_per_address(most).open().await;
    let address = Some([192, 0, 2, 1].into());
    let two = vec![seat(&shop, 0), seat(&shop, 1)];
    let command = HoldCommand { address, ..hold_command(&shop, session(&shop), two) };
    let held = shop.slices.ticketing.hold(command).await.unwrap();
    shop.slices.ticketing.change_hold(adding(&shop, &held, 2)).await.unwrap();
    let refused = shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await;
    assert_eq!(limit(refused), (Code::LimitReached, "places_per_address_max", 3));
}

async fn field(shop: &TestPlatform, quantity: u32) -> Vec<HoldItem> {
    vec![places_of_area(shop, 1, quantity).await]
}

#[tokio::test]
async fn change_while_orders_are_impossible_adds_up_to_4_places_and_removes_any() {
    let shop = TestPlatform::open().await;
    let ann = session(&shop);
    let held = shop.slices.ticketing.hold(hold_command(&shop, ann, field(&shop, 3).await)).await.unwrap();
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    let four = shop.slices.ticketing.change_hold(adding(&shop, &held, 0)).await.unwrap();
    assert_eq!(four.places.len(), CAPPED_PLACES_MAX as usize);
    let five = shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await;
    assert_eq!(limit(five), (Code::LimitReached, "places_per_session", u64::from(CAPPED_PLACES_MAX)));
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::Up);
    shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await.unwrap();
    let more = shop.slices.ticketing.hold(hold_command(&shop, ann, field(&shop, 3).await)).await.unwrap();
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    let fewer = shop.slices.ticketing.change_hold(removing(&shop, &held, &[3])).await.unwrap();
    assert_eq!(fewer.places.len() + more.places.len(), 7, "the rest is above the cap, and stays");
}

#[tokio::test]
async fn change_is_refused_while_warm_is_down() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.slices.context.capabilities.report(Dependency::Warm, DependencyHealth::Down);
    let refused = refusal(shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::TryAgain, Some(5)));
}

/// Overtakes a change: between its read of the hold and its write another change exchanges a place.
#[derive(Default)]
struct Overtaking {
    ticketing: OnceLock<(Ticketing, HoldId)>,
    left: AtomicUsize,
    overtaken: AtomicUsize,
}

#[async_trait]
impl SeatView for Overtaking {
    async fn current(&self, scope: EventScope) -> CommandResult<Arc<dyn Occupancy>> {
        if let Some((ticketing, hold)) = self.ticketing.get()
            && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            self.overtaken.fetch_add(1, Ordering::SeqCst);
            let ours = ticketing.read_hold(scope, *hold).await?;
            let (at, ticket_type) = (ours.places[0].place, ours.places[0].ticket_type);
            let next = PlaceNumber((at.0 + 1) % 3);
            let add = vec![HoldItem::Place { place: next, ticket_type, accessible: true }];
            ticketing.change_hold(ChangeHold { add, remove: vec![at], ..change(scope, *hold) }).await?;
        }
        Ok(Arc::new(EmptySeatView))
    }

    async fn newer_than(&self, scope: EventScope, _position: Position) -> CommandResult<Arc<dyn Occupancy>> {
        self.current(scope).await
    }
}

/// Adds the last seat to a hold while so many other changes of the hold overtake it.
async fn overtaken(times: usize) -> (CommandResult<HoldView>, usize) {
    let view = Arc::new(Overtaking::default());
    let shop = TestPlatform::builder().seat_view(view.clone()).open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let mut others = Ticketing::clone(&shop.slices.ticketing);
    others.seat_view = Arc::new(EmptySeatView);
    assert!(view.ticketing.set((others, held.id)).is_ok());
    view.left.store(times, Ordering::SeqCst);
    let changed = shop.slices.ticketing.change_hold(adding(&shop, &held, 3)).await;
    (changed, view.overtaken.load(Ordering::SeqCst))
}

#[tokio::test]
async fn concurrent_change_is_repeated_on_the_new_state() {
    for times in [1, TRIES_MAX - 1] {
        let (changed, overtaken) = overtaken(times).await;
        let changed = changed.unwrap();
        assert_eq!(overtaken, times);
        let mut held = places(&changed);
        held.sort_unstable();
        assert_eq!(held, [times as u32 % 3, 3], "both changes count");
        assert_eq!(changed.record.version as usize, 2 + times);
    }
}

#[tokio::test]
async fn change_that_is_overtaken_5_times_is_refused_as_hold_changed() {
    let (changed, overtaken) = overtaken(TRIES_MAX + 3).await;
    assert_eq!(code(changed), Code::HoldChanged);
    assert_eq!(overtaken, TRIES_MAX);
}

#[tokio::test]
async fn last_16_changes_of_a_hold_and_its_grant_are_replayed() {
    let shop = TestPlatform::open().await;
    let command = HoldCommand {
        repeatable: Some(("grant".into(), [0; 32])),
        ..hold_command(&shop, session(&shop), vec![seat(&shop, 0)])
    };
    let held = shop.slices.ticketing.hold(command.clone()).await.unwrap();
    let numbered = |number: usize| {
        let change = if number % 2 == 1 { adding(&shop, &held, 3) } else { removing(&shop, &held, &[3]) };
        ChangeHold { repeatable: Some((number.to_string(), [number as u8; 32])), ..change }
    };
    for number in 1..=ANSWERED_CHANGES_MAX {
        assert!(!shop.slices.ticketing.change_hold(numbered(number)).await.unwrap().replayed);
    }
    let first = shop.slices.ticketing.change_hold(numbered(1)).await.unwrap();
    assert_eq!((first.replayed, places(&first)), (true, vec![0, 3]));
    shop.slices.ticketing.change_hold(numbered(ANSWERED_CHANGES_MAX + 1)).await.unwrap();
    assert_eq!(code(shop.slices.ticketing.change_hold(numbered(1)).await), Code::InvalidRequest, "it is forgotten");
    let second = shop.slices.ticketing.change_hold(numbered(2)).await.unwrap();
    assert_eq!((second.replayed, places(&second)), (true, vec![0]));
    let granted = shop.slices.ticketing.hold(command).await.unwrap();
    assert_eq!((granted.replayed, places(&granted)), (true, vec![0]));
}
