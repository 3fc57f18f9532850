//! Cases of cold's effects: they are applied by version, in any order of arrival (P1).

use voelgoed_app::environment::Environment as _;
use voelgoed_domain::ids::OrderId;

use super::*;

/// An effect counts only above the stored version of its place; unknown places are skipped.
pub async fn effect_of_an_old_version_is_ignored<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let cases = [
        (2, PlaceState::Claimed, DisplayState::Held),
        (2, PlaceState::Free, DisplayState::Held),
        (1, PlaceState::Free, DisplayState::Held),
        (3, PlaceState::Sold, DisplayState::Sold),
        (2, PlaceState::Claimed, DisplayState::Sold),
        (9, PlaceState::Blocked, DisplayState::Blocked),
        (8, PlaceState::Sold, DisplayState::Blocked),
        (10, PlaceState::Free, DisplayState::Free),
    ];
    for (version, state, shown) in cases {
        let effects = [effect(999, PlaceState::Sold, version), effect(0, state, version)];
        store.apply(scope, None, &effects).await.unwrap();
        assert_eq!(display_state(&sut, scope, 0).await, shown, "{state:?} {version}");
    }
    let before = store.snapshot(scope).await.unwrap();
    let position = store.apply(scope, None, &[effect(0, PlaceState::Sold, 10)]).await.unwrap();
    assert_eq!(position, before.position, "an outdated effect is no step");
    assert_eq!(store.snapshot(scope).await.unwrap(), before);
    assert_eq!(counts(&sut, scope).await.free, PLACES);
}

/// The claim of an order that is already closed frees what its hold still had.
pub async fn late_claim_leaves_nothing_held<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let held = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    store.pin(scope, held.hold).await.unwrap();
    store.apply(scope, None, &[effect(0, PlaceState::Free, 2)]).await.unwrap();
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Held, "a live hold keeps its place");
    let order = OrderId::from_uuid(sut.environment.uuid());
    for _ in 0..2 {
        store.apply(scope, Some((held.hold, order)), &[effect(0, PlaceState::Claimed, 1)]).await.unwrap();
        assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Free);
    }
    let next = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    store.apply(scope, Some((held.hold, order)), &[effect(0, PlaceState::Claimed, 1)]).await.unwrap();
    store.pin(scope, next.hold).await.unwrap();
}
