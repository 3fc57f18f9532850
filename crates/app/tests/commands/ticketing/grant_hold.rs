//! Grants holds: for their time, within the limits, to one session each, and on an event that is loaded on demand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_app::ticketing::hold::{CAPPED_PLACES_MAX, HoldCommand};
use voelgoed_app::ticketing::load_event::{LoadEvent, area_spans};
use voelgoed_app::ticketing::ports::{EventScope, Install, RebuildLease};
use voelgoed_domain::catalog::event::EventTransition;
use voelgoed_domain::ids::SessionId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, hold, hold_command, limit, places, places_of_area, refusal, seat, session};

const MICRO: Duration = Duration::from_micros(1);

/// Holds so many places of the field.
async fn hold_field(shop: &TestPlatform, session: SessionId, quantity: u32) -> CommandResult<()> {
    let items = vec![places_of_area(shop, 1, quantity).await];
    shop.slices.ticketing.hold(hold_command(shop, session, items)).await.map(drop)
}

#[tokio::test]
async fn hold_lasts_for_the_time_of_a_sale() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let lasts = shop.slices.context.times.hold;
    assert_eq!(held.record.expires_at, shop.environment.now().plus(lasts));
    shop.environment.advance(lasts - MICRO);
    assert_eq!(code(hold(&shop, vec![seat(&shop, 0)]).await), Code::PlaceTaken);
    shop.environment.advance(MICRO);
    assert_eq!(places(&hold(&shop, vec![seat(&shop, 0)]).await.unwrap()), [0]);
}

#[tokio::test]
async fn hold_while_orders_are_impossible_has_4_places_and_lasts_longer() {
    let shop = TestPlatform::open().await;
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    let ann = session(&shop);
    assert_eq!(
        limit(hold_field(&shop, ann, CAPPED_PLACES_MAX + 1).await),
        (Code::LimitReached, "places_per_session", u64::from(CAPPED_PLACES_MAX))
    );
    let four = vec![places_of_area(&shop, 1, CAPPED_PLACES_MAX).await];
    let held = shop.slices.ticketing.hold(hold_command(&shop, ann, four)).await.unwrap();
    let times = shop.slices.context.times;
    assert_eq!(held.record.expires_at, shop.environment.now().plus(times.hold + times.payment_extension));
    assert_eq!(code(hold_field(&shop, ann, 1).await), Code::LimitReached, "the cap is for all holds of the session");
}

#[tokio::test]
async fn cap_does_not_raise_a_lower_limit_of_the_event() {
    let shop = TestPlatform::builder().event(|event| event.limits.places_per_session = 2).open().await;
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    assert_eq!(limit(hold_field(&shop, session(&shop), 3).await), (Code::LimitReached, "places_per_session", 2));
}

#[tokio::test]
async fn hold_is_refused_while_warm_is_down() {
    let shop = TestPlatform::open().await;
    shop.slices.context.capabilities.report(Dependency::Warm, DependencyHealth::Down);
    let refused = refusal(hold(&shop, vec![seat(&shop, 0)]).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::TryAgain, Some(5)));
    shop.slices.context.capabilities.report(Dependency::Warm, DependencyHealth::Up);
    shop.slices.context.capabilities.report(Dependency::Cold, DependencyHealth::Down);
    let refused = refusal(hold(&shop, vec![seat(&shop, 0)]).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::TryAgain, Some(10)));
    assert!(shop.slices.ticketing.inventory.loaded_events().await.unwrap().is_empty(), "warm was not called");
}

#[tokio::test]
async fn session_holds_up_to_the_limit_of_the_event_over_all_its_holds() {
    let shop = TestPlatform::open().await;
    let ann = session(&shop);
    hold_field(&shop, ann, 6).await.unwrap();
    assert_eq!(limit(hold_field(&shop, ann, 4).await), (Code::LimitReached, "places_per_session", 9));
    hold_field(&shop, ann, 3).await.unwrap();
    assert_eq!(shop.slices.ticketing.inventory.held_by(shop.scope, ann).await.unwrap(), 9);
}

#[tokio::test]
async fn ticket_type_limits_the_places_of_one_hold() {
    let shop = TestPlatform::builder().ticket_type(|it| it.limits.min_per_hold = 2).open().await;
    assert_eq!(limit(hold_field(&shop, session(&shop), 7).await), (Code::LimitReached, "max_per_hold", 6));
    assert_eq!(limit(hold_field(&shop, session(&shop), 1).await), (Code::LimitReached, "min_per_hold", 2));
    hold_field(&shop, session(&shop), 6).await.unwrap();
    hold_field(&shop, session(&shop), 2).await.unwrap();
}

#[tokio::test]
async fn client_address_holds_up_to_its_limit_over_all_sessions() {
    let most = PlacesPerAddress { places_max: 3, share_max: 0.0 };
    let shop = TestPlatform::builder().places_per_address(most).open().await;
    let from = |address: Option<[u8; 4]>, place| {
        let command = hold_command(&shop, session(&shop), vec![seat(&shop, place)]);
        HoldCommand { address: address.map(Into::into), ..command }
    };
    let one = Some([192, 0, 2, 1]);
    for place in 0..3 {
        shop.slices.ticketing.hold(from(one, place)).await.unwrap();
    }
    let refused = shop.slices.ticketing.hold(from(one, 3)).await;
    assert_eq!(limit(refused), (Code::LimitReached, "places_per_address_max", 3));
    shop.slices.ticketing.hold(from(Some([192, 0, 2, 2]), 3)).await.unwrap();
}

#[tokio::test]
async fn client_address_may_hold_its_share_of_a_large_event() {
    let most = PlacesPerAddress { places_max: 1, share_max: 0.5 };
    let shop = TestPlatform::builder().places_per_address(most).open().await;
    let from =
        |items| HoldCommand { address: Some([192, 0, 2, 1].into()), ..hold_command(&shop, session(&shop), items) };
    shop.slices.ticketing.hold(from(vec![places_of_area(&shop, 1, 6).await])).await.unwrap();
    shop.slices.ticketing.hold(from(vec![seat(&shop, 0)])).await.unwrap();
    let refused = shop.slices.ticketing.hold(from(vec![seat(&shop, 3)])).await;
    assert_eq!(limit(refused), (Code::LimitReached, "places_per_address_max", 7), "half of 14 places");
}

#[tokio::test]
async fn sale_that_is_not_open_refuses_holds_until_it_opens() {
    let opens_in = Duration::from_secs(60);
    let shop = TestPlatform::builder().event(move |it| it.sale.opens_at = it.sale.opens_at.plus(opens_in)).open().await;
    let opens_at = shop.environment.now().plus(opens_in);
    shop.environment.advance(opens_in - MICRO);
    let refused = refusal(hold(&shop, vec![seat(&shop, 0)]).await);
    assert_eq!((refused.code, refused.evidence.opens_at), (Code::SaleClosed, Some(opens_at)));
    shop.environment.advance(MICRO);
    hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
}

#[tokio::test]
async fn refused_requests_for_places_are_counted_and_wrong_ones_are_not() {
    let shop = TestPlatform::open().await;
    hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    hold_field(&shop, session(&shop), 6).await.unwrap();
    assert_eq!(code(hold(&shop, vec![seat(&shop, 0)]).await), Code::PlaceTaken);
    assert_eq!(code(hold_field(&shop, session(&shop), 5).await), Code::SoldOut);
    assert_eq!(code(hold_field(&shop, session(&shop), 7).await), Code::LimitReached);
    assert_eq!(code(hold(&shop, vec![]).await), Code::InvalidRequest);
    shop.slices.catalog.transition_event(shop.scope, EventTransition::Pause).await.unwrap();
    assert_eq!(code(hold(&shop, vec![seat(&shop, 3)]).await), Code::SaleClosed);
    shop.slices.analytics.append_counts().await;
    shop.slices.analytics.collect_counts(shop.environment.uuid()).await.unwrap();
    shop.environment.advance(Duration::from_secs(60));
    let minutes = shop.slices.analytics.funnel(shop.scope, None, None).await.unwrap();
    assert_eq!(minutes.iter().map(|minute| (minute.held, minute.refused)).collect::<Vec<_>>(), [(2, 2)]);
}

#[tokio::test]
async fn holds_of_a_session_are_listed_newest_first_and_by_event() {
    let shop = TestPlatform::open().await;
    let ann = session(&shop);
    let held = async |place| shop.try_hold_seat(place, ann, None).await.unwrap();
    let (first, second) = (held(0).await, held(1).await);
    let listed = async || -> Vec<_> {
        shop.slices.ticketing.session_holds(ann).await.unwrap().iter().map(|view| view.id).collect()
    };
    assert_eq!(listed().await, [second, first]);
    let elsewhere = EventScope { event: voelgoed_app::environment::new_id(&*shop.environment), ..shop.scope };
    assert!(shop.slices.ticketing.session_holds_of(ann, elsewhere).await.unwrap().is_empty());
    assert_eq!(shop.slices.ticketing.session_holds_of(ann, shop.scope).await.unwrap().len(), 2);
    shop.slices.ticketing.release_hold(shop.scope, second).await.unwrap();
    assert_eq!(listed().await, [first]);
}

#[tokio::test]
async fn hold_that_is_noted_for_another_session_is_not_listed() {
    let shop = TestPlatform::open().await;
    let held = shop.hold_seat(0).await;
    let thief = session(&shop);
    shop.slices.ticketing.inventory.note_hold(thief, shop.scope, held).await.unwrap();
    assert!(shop.slices.ticketing.session_holds(thief).await.unwrap().is_empty());
}

/// Loads nothing.
#[derive(Default)]
struct IdleLoader(AtomicUsize);

#[async_trait]
impl LoadEvent for IdleLoader {
    async fn load(&self, _scope: EventScope) -> CommandResult<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn event_that_does_not_stay_loaded_is_loaded_3_times_before_the_refusal() {
    let mut shop = TestPlatform::open().await;
    let loader = Arc::new(IdleLoader::default());
    Arc::make_mut(&mut shop.slices.ticketing).loader = loader.clone();
    let refused = refusal(hold(&shop, vec![seat(&shop, 0)]).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::TryAgain, Some(1)));
    assert_eq!(loader.0.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn first_holds_of_an_event_at_once_load_it_once() {
    let shop = TestPlatform::open().await;
    let one = |place| hold(&shop, vec![seat(&shop, place)]);
    let (first, second, third) = futures::join!(one(0), one(2), one(3));
    let epochs = [first, second, third].map(|held| held.unwrap().record.epoch);
    assert_eq!(epochs, [Epoch(1); 3]);
}

#[tokio::test]
async fn loaded_event_is_not_loaded_again() {
    let shop = TestPlatform::open().await;
    let before = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.slices.ticketing.loader.load(shop.scope).await.unwrap();
    let after = hold(&shop, vec![seat(&shop, 3)]).await.unwrap();
    assert_eq!(after.record.epoch, before.record.epoch);
}

#[tokio::test]
async fn load_that_fails_returns_its_lease_so_that_another_node_loads_at_once() {
    let shop = TestPlatform::open().await;
    let ticketing = &shop.slices.ticketing;
    shop.cold.close().await;
    assert!(matches!(ticketing.loader.load(shop.scope).await, Err(CommandError::Fault(_))));
    let lease = shop.environment.uuid();
    let given = ticketing.inventory.lease_rebuild(shop.scope, lease, Duration::from_secs(60)).await.unwrap();
    assert_eq!(given, RebuildLease::Granted);
}

#[tokio::test]
async fn load_of_an_event_that_was_loaded_meanwhile_returns_its_lease() {
    let shop = TestPlatform::open().await;
    hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    let ticketing = &shop.slices.ticketing;
    ticketing.loader.load(shop.scope).await.unwrap();
    let lease = shop.environment.uuid();
    let given = ticketing.inventory.lease_rebuild(shop.scope, lease, Duration::from_secs(60)).await.unwrap();
    assert_eq!(given, RebuildLease::Granted);
}

#[tokio::test]
async fn event_that_another_node_loads_is_waited_for() {
    let shop = TestPlatform::open().await;
    let ticketing = &shop.slices.ticketing;
    let lease = shop.environment.uuid();
    let given = ticketing.inventory.lease_rebuild(shop.scope, lease, Duration::from_secs(60)).await.unwrap();
    assert_eq!(given, RebuildLease::Granted);
    let areas = area_spans(&shop.slices.catalog.listings.listing(shop.scope).await.unwrap());
    let install = Install { epoch: Epoch(7), areas, places: vec![], revoked: vec![], admitted: vec![] };
    let installed = async { ticketing.inventory.install(shop.scope, lease, install).await.unwrap() };
    let (held, _) = futures::join!(hold(&shop, vec![seat(&shop, 0)]), installed);
    assert_eq!(held.unwrap().record.epoch, Epoch(7), "this node did not load it too");
}

#[tokio::test]
async fn hold_that_is_noted_for_an_unknown_event_is_not_listed() {
    let shop = TestPlatform::open().await;
    let ann = session(&shop);
    shop.try_hold_seat(0, ann, None).await.unwrap();
    let elsewhere = EventScope { event: voelgoed_app::environment::new_id(&*shop.environment), ..shop.scope };
    let unknown = voelgoed_app::environment::new_id(&*shop.environment);
    shop.slices.ticketing.inventory.note_hold(ann, elsewhere, unknown).await.unwrap();
    assert_eq!(shop.slices.ticketing.session_holds(ann).await.unwrap().len(), 1);
}

#[tokio::test]
async fn list_of_a_sessions_holds_is_a_fault_while_an_event_cannot_be_read() {
    let shop = TestPlatform::open().await;
    let ann = session(&shop);
    shop.try_hold_seat(0, ann, None).await.unwrap();
    let elsewhere = EventScope { event: voelgoed_app::environment::new_id(&*shop.environment), ..shop.scope };
    let unknown = voelgoed_app::environment::new_id(&*shop.environment);
    shop.cold.close().await;
    shop.slices.ticketing.inventory.note_hold(ann, elsewhere, unknown).await.unwrap();
    assert!(matches!(shop.slices.ticketing.session_holds(ann).await, Err(CommandError::Fault(_))));
    assert_eq!(
        shop.slices.ticketing.session_holds_of(ann, shop.scope).await.unwrap().len(),
        1,
        "its listing is cached"
    );
}
