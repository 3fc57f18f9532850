//! What cold decided, however it arrives.

use voelgoed_app::environment::Environment as _;
use voelgoed_domain::ids::OrderId;

use super::*;

/// An effect counts only above the version that the store has seen; a place that is not there is passed over.
pub async fn only_news_are_applied<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let cases = [
        (2, PlaceState::Claimed, Shown::Held),
        (2, PlaceState::Free, Shown::Held),
        (1, PlaceState::Free, Shown::Held),
        (3, PlaceState::Sold, Shown::Sold),
        (2, PlaceState::Claimed, Shown::Sold),
        (9, PlaceState::Blocked, Shown::Blocked),
        (8, PlaceState::Sold, Shown::Blocked),
        (10, PlaceState::Free, Shown::Free),
    ];
    for (version, state, shown) in cases {
        let effects = [effect(999, PlaceState::Sold, version), effect(0, state, version)];
        store.apply(scope, None, &effects).await.unwrap();
        assert_eq!(look(&subject, scope, 0).await, shown, "{state:?} {version}");
    }
    let before = store.snapshot(scope).await.unwrap();
    let position = store.apply(scope, None, &[effect(0, PlaceState::Sold, 10)]).await.unwrap();
    assert_eq!(position, before.position, "old news is no step");
    assert_eq!(store.snapshot(scope).await.unwrap(), before);
    assert_eq!(counts(&subject, scope).await.free, PLACES);
}

/// The claim of an order that is over already frees what its hold still had.
pub async fn late_claims_leave_nothing_held<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let held = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    store.pin(scope, held.hold).await.unwrap();
    store.apply(scope, None, &[effect(0, PlaceState::Free, 2)]).await.unwrap();
    assert_eq!(look(&subject, scope, 0).await, Shown::Held, "nobody frees what a living hold has");
    let order = OrderId::from_uuid(subject.environment.uuid());
    for _ in 0..2 {
        store.apply(scope, Some((held.hold, order)), &[effect(0, PlaceState::Claimed, 1)]).await.unwrap();
        assert_eq!(look(&subject, scope, 0).await, Shown::Free);
    }
    let next = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    store.apply(scope, Some((held.hold, order)), &[effect(0, PlaceState::Claimed, 1)]).await.unwrap();
    store.pin(scope, next.hold).await.unwrap();
}
