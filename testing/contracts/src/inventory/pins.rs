//! Cases of pinned and ordered holds: they keep their places during changes and after their expiry (P4).

use voelgoed_app::environment::Environment as _;
use voelgoed_domain::ids::OrderId;
use voelgoed_domain::ticketing::hold::HoldPhase;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn new_order<S>(sut: &Sut<S>) -> OrderId {
    OrderId::from_uuid(sut.environment.uuid())
}

/// A pin does not change the hold's expiry, outlasts it by at most a minute, and may be repeated.
pub async fn pin_outlives_its_hold_and_expires_by_itself<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let held = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    let now = sut.environment.advance(TEN_MINUTES - 3 * MINUTE);
    let pinned = store.pin(scope, held.hold).await.unwrap();
    assert_eq!(pinned.phase, HoldPhase::Pinned { until: now.plus(MINUTE) });
    assert_eq!(pinned.expires_at, held.expires_at, "a refused order leaves the hold as it was");
    let again = store.pin(scope, held.hold).await.unwrap();
    assert_eq!(again, pinned);
    sut.environment.advance(MINUTE);
    let active = store.read_hold(scope, held.hold).await.unwrap();
    assert_eq!((active.phase, active.expires_at), (HoldPhase::Active, pinned.expires_at));

    sut.environment.advance(2 * MINUTE - Duration::from_secs(1));
    store.pin(scope, held.hold).await.unwrap();
    sut.environment.advance(Duration::from_secs(59));
    store.free_expired_holds(100).await.unwrap();
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Held, "the pin outlives the hold");
    sut.environment.advance(Duration::from_secs(1));
    store.free_expired_holds(100).await.unwrap();
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Free, "a dead node keeps no places");
}

/// A pinned hold is neither changed nor released.
pub async fn unpinned_hold_is_changeable_again<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let wanted = request(&sut, seats(&[0]));
    let held = store.hold(scope, wanted.clone()).await.unwrap();
    store.pin(scope, held.hold).await.unwrap();
    let other = HoldRequest { picks: seats(&[1]), ..wanted };
    assert_eq!(code(store.change_hold(scope, other.clone()).await), Code::AlreadyOrdered);
    assert_eq!(code(store.release(scope, held.hold).await), Code::AlreadyOrdered);
    store.unpin(scope, held.hold).await.unwrap();
    store.unpin(scope, held.hold).await.unwrap();
    store.change_hold(scope, other).await.unwrap();
    store.release(scope, held.hold).await.unwrap();
    store.unpin(scope, held.hold).await.unwrap();
}

/// Places that cold claimed for an order stay taken after the hold was released or has expired.
pub async fn ordered_hold_is_neither_changed_nor_freed<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let held = store.hold(scope, request(&sut, seats(&[0, 1]))).await.unwrap();
    let order = new_order(&sut);
    store.pin(scope, held.hold).await.unwrap();
    let claims = [effect(0, PlaceState::Claimed, 1), effect(1, PlaceState::Claimed, 1)];
    store.apply(scope, Some((held.hold, order)), &claims).await.unwrap();
    assert_eq!(store.read_hold(scope, held.hold).await.unwrap().phase, HoldPhase::Claimed { order });
    for refused in [
        refusal(store.pin(scope, held.hold).await),
        refusal(store.release(scope, held.hold).await),
        refusal(
            store
                .change_hold(
                    scope,
                    HoldRequest { hold: held.hold, session: held.session, ..request(&sut, seats(&[2])) },
                )
                .await,
        ),
    ] {
        assert_eq!((refused.code, refused.evidence.order), (Code::AlreadyOrdered, Some(order)));
    }
    store.unpin(scope, held.hold).await.unwrap();
    assert_eq!(store.held_by(scope, held.session).await.unwrap(), 0, "an order is no hold");
    sut.environment.advance(2 * TEN_MINUTES);
    store.free_expired_holds(100).await.unwrap();
    assert_eq!(counts(&sut, scope).await.held, 2);
    store.apply(scope, None, &[effect(0, PlaceState::Sold, 2), effect(1, PlaceState::Free, 2)]).await.unwrap();
    let now = counts(&sut, scope).await;
    assert_eq!((now.held, now.sold, now.free), (0, 1, PLACES - 1));
}

/// Cold's decision overrides a hold; the pin names the places, and the buyer may hold others.
pub async fn pin_reports_places_that_cold_gave_to_another<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let wanted = request(&sut, vec![any_of_area(3)]);
    let held = store.hold(scope, wanted.clone()).await.unwrap();
    assert_eq!(numbers(&held), [20, 21, 22]);
    store.apply(scope, None, &[effect(21, PlaceState::Blocked, 1)]).await.unwrap();
    let refused = refusal(store.pin(scope, held.hold).await);
    assert_eq!((refused.code, refused.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(21)]));
    let changed = store.change_hold(scope, wanted).await.unwrap();
    assert_eq!(numbers(&changed), [20, 22, 23], "another place of the area");
    store.pin(scope, held.hold).await.unwrap();
    assert_eq!(display_state(&sut, scope, 21).await, DisplayState::Blocked);
}
