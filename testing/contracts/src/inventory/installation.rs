//! Cases of installations: an event is loaded under a lease and an epoch, and holds survive a rebuild unless cold gave their places away.

use voelgoed_app::environment::Environment as _;

use super::*;

/// A store without the event answers `unloaded` to every call, and does nothing.
pub async fn every_call_is_unloaded_until_the_installation<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, new_scope(&sut));
    let (hold, session) = new_ids(&sut);
    let ticket = voelgoed_app::environment::new_id(&*sut.environment);
    let since = Position::default();
    assert!(is_unloaded(&store.hold(scope, request(&sut, seats(&[0]))).await));
    assert!(is_unloaded(&store.change_hold(scope, request(&sut, seats(&[0]))).await));
    assert!(is_unloaded(&store.read_hold(scope, hold).await));
    assert!(is_unloaded(&store.release(scope, hold).await));
    assert!(is_unloaded(&store.pin(scope, hold).await));
    assert!(is_unloaded(&store.unpin(scope, hold).await));
    assert!(is_unloaded(&store.apply(scope, None, &[effect(0, PlaceState::Sold, 1)]).await));
    assert!(is_unloaded(&store.snapshot(scope).await));
    assert!(is_unloaded(&store.changes_since(scope, since).await));
    assert!(is_unloaded(&store.gate_filter(scope, ticket).await));
    assert!(is_unloaded(&store.mark_admitted(scope, ticket).await));
    assert!(is_unloaded(&store.mark_revoked(scope, &[ticket]).await));
    assert!(is_unloaded(&store.held_by(scope, session).await));
    assert!(!store.loaded_events().await.unwrap().contains(&scope));
    install_event(store, scope, plan(1)).await.unwrap();
    assert!(store.loaded_events().await.unwrap().contains(&scope));
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Free, "unloaded calls did nothing");
}

/// Of two rebuilds the one with the higher epoch wins, in any order.
pub async fn installation_with_an_epoch_that_is_not_higher_is_refused<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, new_scope(&sut));
    let sold = Install { places: vec![effect(0, PlaceState::Sold, 1)], ..plan(5) };
    install_event(store, scope, sold).await.unwrap();
    for epoch in [5, 4] {
        assert!(is_unloaded(&install_event(store, scope, plan(epoch)).await), "epoch {epoch}");
    }
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Sold);
    let position = install_event(store, scope, plan(6)).await.unwrap();
    assert_eq!(position, Position { epoch: Epoch(6), seq: 0 });
}

/// Only the holder of the lease installs; the lease ends with the installation, or after its duration.
pub async fn installation_without_the_rebuild_lease_is_refused<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope, other) = (&sut.store, new_scope(&sut), new_scope(&sut));
    let [own, other_lease] = [1, 2].map(uuid::Uuid::from_u128);
    let duration = Duration::from_secs(5);
    assert!(is_unloaded(&store.install(scope, own, plan(1)).await), "not leased");
    assert_eq!(store.lease_rebuild(scope, own, duration).await.unwrap(), RebuildLease::Granted);
    assert_eq!(store.lease_rebuild(scope, own, duration).await.unwrap(), RebuildLease::Granted, "the holder again");
    sut.environment.advance(Duration::from_secs(1));
    let free_in = Duration::from_secs(4);
    assert_eq!(store.lease_rebuild(scope, other_lease, duration).await.unwrap(), RebuildLease::Taken { free_in });
    assert_eq!(
        store.lease_rebuild(other, other_lease, duration).await.unwrap(),
        RebuildLease::Granted,
        "each event has its own lease"
    );
    assert!(is_unloaded(&store.install(scope, other_lease, plan(1)).await));
    let returned = store.lease_rebuild(scope, other_lease, Duration::ZERO).await.unwrap();
    assert_eq!(returned, RebuildLease::Taken { free_in }, "only its holder ends a lease");
    assert_eq!(store.lease_rebuild(scope, own, Duration::ZERO).await.unwrap(), RebuildLease::Granted);
    assert!(is_unloaded(&store.install(scope, own, plan(1)).await), "returned");
    assert_eq!(store.lease_rebuild(scope, other_lease, Duration::ZERO).await.unwrap(), RebuildLease::Granted);
    assert_eq!(store.lease_rebuild(scope, own, free_in).await.unwrap(), RebuildLease::Granted);

    sut.environment.advance(free_in);
    assert!(is_unloaded(&store.install(scope, own, plan(1)).await), "it has expired");
    assert_eq!(store.lease_rebuild(scope, other_lease, duration).await.unwrap(), RebuildLease::Granted);
    assert!(is_unloaded(&store.install(scope, own, plan(2)).await), "another holder has it");
    store.install(scope, other_lease, plan(1)).await.unwrap();
    assert!(is_unloaded(&store.install(scope, other_lease, plan(2)).await), "an installation ends it");
    assert_eq!(store.lease_rebuild(scope, own, duration).await.unwrap(), RebuildLease::Granted);
    store.install(scope, own, plan(2)).await.unwrap();
}

/// Holds whose places cold has not given away are kept; the others are lost.
pub async fn rebuild_keeps_holds_that_do_not_conflict<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let kept = store.hold(scope, request(&sut, seats(&[0, 1]))).await.unwrap();
    let conflicting = store.hold(scope, request(&sut, seats(&[2, 3]))).await.unwrap();
    let short = HoldRequest { lasts_millis: 1000, ..request(&sut, seats(&[4])) };
    let expired = store.hold(scope, short).await.unwrap();
    store.apply(scope, None, &[effect(5, PlaceState::Sold, 3)]).await.unwrap();
    sut.environment.advance(Duration::from_secs(1));

    let rows = vec![effect(3, PlaceState::Claimed, 1), effect(5, PlaceState::Claimed, 2)];
    install_event(store, scope, Install { places: rows, ..plan(2) }).await.unwrap();
    assert_eq!(store.read_hold(scope, kept.hold).await.unwrap(), kept);
    assert_eq!(code(store.read_hold(scope, conflicting.hold).await), Code::HoldLost);
    assert!(matches!(code(store.read_hold(scope, expired.hold).await), Code::HoldLost | Code::HoldExpired));
    for (place, shown) in
        [(0, DisplayState::Held), (2, DisplayState::Free), (3, DisplayState::Held), (4, DisplayState::Free)]
    {
        assert_eq!(display_state(&sut, scope, place).await, shown, "{place}");
    }
    assert_eq!(display_state(&sut, scope, 5).await, DisplayState::Sold, "effects after the read of cold are kept");
    store.pin(scope, kept.hold).await.unwrap();
}

/// A store that lost its data does not report a lost hold as expired.
pub async fn holds_are_lost_after_the_store_was_emptied<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, new_scope(&sut));
    let (hold, _) = new_ids(&sut);
    sut.environment.advance(Duration::from_secs(60));
    install_event(store, scope, plan(9)).await.unwrap();
    assert_eq!(code(store.read_hold(scope, hold).await), Code::HoldLost);
    assert_eq!(code(store.pin(scope, hold).await), Code::HoldLost);
    assert!(store.release(scope, hold).await.is_ok(), "releasing a lost hold is no error");
    sut.environment.advance(Duration::from_secs(1));
    let (young, _) = new_ids(&sut);
    assert_eq!(code(store.read_hold(scope, young).await), Code::HoldExpired);
}

/// The same event id in another organization is another event (P7).
pub async fn inventories_of_two_organizations_are_separate<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let foreign = EventScope { organization: new_scope(&sut).organization, ..scope };
    let held = store.hold(scope, request(&sut, seats(&[0]))).await.unwrap();
    assert!(is_unloaded(&store.read_hold(foreign, held.hold).await));
    install_event(store, foreign, plan(1)).await.unwrap();
    assert_eq!(display_state(&sut, foreign, 0).await, DisplayState::Free);
    assert!(store.read_hold(foreign, held.hold).await.is_err());
    store.release(foreign, held.hold).await.unwrap();
    store.apply(foreign, None, &[effect(1, PlaceState::Sold, 1)]).await.unwrap();
    assert_eq!(display_state(&sut, scope, 0).await, DisplayState::Held);
    assert_eq!(display_state(&sut, scope, 1).await, DisplayState::Free);
    assert_eq!(store.held_by(foreign, held.session).await.unwrap(), 0);
    assert!(sut.environment.now() < held.expires_at);
}
