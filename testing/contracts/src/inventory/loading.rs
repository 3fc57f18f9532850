//! Loaded, not loaded, loaded anew, and whose.

use voelgoed_app::environment::Environment as _;

use super::*;

/// A store without the event says so to every call, and does nothing.
pub async fn everything_is_unloaded_until_installed<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, new_event(&subject));
    let (hold, session) = someone(&subject);
    let ticket = voelgoed_app::environment::fresh(&*subject.environment);
    let since = Position::default();
    assert!(is_unloaded(&store.hold(scope, request(&subject, seats(&[0]))).await));
    assert!(is_unloaded(&store.change_hold(scope, request(&subject, seats(&[0]))).await));
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
    assert!(!store.loaded().await.unwrap().contains(&scope));
    installed(store, scope, plan(1)).await.unwrap();
    assert!(store.loaded().await.unwrap().contains(&scope));
    assert_eq!(look(&subject, scope, 0).await, Shown::Free, "what was answered unloaded was not done");
}

/// Of two rebuilds the one with the higher epoch stands, whichever comes last.
pub async fn an_epoch_that_is_not_higher_is_refused<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, new_event(&subject));
    let sold = Install { places: vec![effect(0, PlaceState::Sold, 1)], ..plan(5) };
    installed(store, scope, sold).await.unwrap();
    for epoch in [5, 4] {
        assert!(is_unloaded(&installed(store, scope, plan(epoch)).await), "epoch {epoch}");
    }
    assert_eq!(look(&subject, scope, 0).await, Shown::Sold);
    let position = installed(store, scope, plan(6)).await.unwrap();
    assert_eq!(position, Position { epoch: Epoch(6), seq: 0 });
}

/// Who does not have the lease installs nothing; it ends with the installation, or by itself.
pub async fn one_rebuild_at_a_time_under_a_lease_that_ends<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope, other) = (&subject.store, new_event(&subject), new_event(&subject));
    let [mine, theirs] = [1, 2].map(uuid::Uuid::from_u128);
    let lasts = Duration::from_secs(5);
    assert!(is_unloaded(&store.install(scope, mine, plan(1)).await), "nobody has leased it");
    assert_eq!(store.lease_rebuild(scope, mine, lasts).await.unwrap(), Lease::Given);
    assert_eq!(store.lease_rebuild(scope, mine, lasts).await.unwrap(), Lease::Given, "it is mine already");
    subject.environment.advance(Duration::from_secs(1));
    let free_in = Duration::from_secs(4);
    assert_eq!(store.lease_rebuild(scope, theirs, lasts).await.unwrap(), Lease::Taken { free_in });
    assert_eq!(store.lease_rebuild(other, theirs, lasts).await.unwrap(), Lease::Given, "another event's is another");
    assert!(is_unloaded(&store.install(scope, theirs, plan(1)).await));

    subject.environment.advance(free_in);
    assert!(is_unloaded(&store.install(scope, mine, plan(1)).await), "it is over");
    assert_eq!(store.lease_rebuild(scope, theirs, lasts).await.unwrap(), Lease::Given);
    assert!(is_unloaded(&store.install(scope, mine, plan(2)).await), "it is another's now");
    store.install(scope, theirs, plan(1)).await.unwrap();
    assert!(is_unloaded(&store.install(scope, theirs, plan(2)).await), "an installation ends it");
    assert_eq!(store.lease_rebuild(scope, mine, lasts).await.unwrap(), Lease::Given);
    store.install(scope, mine, plan(2)).await.unwrap();
}

/// What cold has not given away stays with its holder; the others are told that their hold was lost.
pub async fn a_rebuild_keeps_the_holds_that_conflict_with_nothing<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let kept = store.hold(scope, request(&subject, seats(&[0, 1]))).await.unwrap();
    let conflicting = store.hold(scope, request(&subject, seats(&[2, 3]))).await.unwrap();
    let short = HoldRequest { lasts_millis: 1000, ..request(&subject, seats(&[4])) };
    let lapsed = store.hold(scope, short).await.unwrap();
    store.apply(scope, None, &[effect(5, PlaceState::Sold, 3)]).await.unwrap();
    subject.environment.advance(Duration::from_secs(1));

    let rows = vec![effect(3, PlaceState::Claimed, 1), effect(5, PlaceState::Claimed, 2)];
    installed(store, scope, Install { places: rows, ..plan(2) }).await.unwrap();
    assert_eq!(store.read_hold(scope, kept.hold).await.unwrap(), kept);
    assert_eq!(code(store.read_hold(scope, conflicting.hold).await), Code::HoldLost);
    assert!(matches!(code(store.read_hold(scope, lapsed.hold).await), Code::HoldLost | Code::HoldExpired));
    for (place, shown) in [(0, Shown::Held), (2, Shown::Free), (3, Shown::Held), (4, Shown::Free)] {
        assert_eq!(look(&subject, scope, place).await, shown, "{place}");
    }
    assert_eq!(look(&subject, scope, 5).await, Shown::Sold, "what came after cold was read is not undone");
    store.pin(scope, kept.hold).await.unwrap();
}

/// A store that lost everything does not call a lost hold expired.
pub async fn an_emptied_store_lost_its_holds<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, new_event(&subject));
    let (hold, _) = someone(&subject);
    subject.environment.advance(Duration::from_secs(60));
    installed(store, scope, plan(9)).await.unwrap();
    assert_eq!(code(store.read_hold(scope, hold).await), Code::HoldLost);
    assert_eq!(code(store.pin(scope, hold).await), Code::HoldLost);
    assert!(store.release(scope, hold).await.is_ok(), "giving it back is no matter");
    subject.environment.advance(Duration::from_secs(1));
    let (young, _) = someone(&subject);
    assert_eq!(code(store.read_hold(scope, young).await), Code::HoldExpired);
}

/// The same event id under another organization is another event, or none.
pub async fn tenants_never_mix<S: InventoryStore>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let foreign = EventScope { organization: new_event(&subject).organization, ..scope };
    let held = store.hold(scope, request(&subject, seats(&[0]))).await.unwrap();
    assert!(is_unloaded(&store.read_hold(foreign, held.hold).await));
    installed(store, foreign, plan(1)).await.unwrap();
    assert_eq!(look(&subject, foreign, 0).await, Shown::Free);
    assert!(store.read_hold(foreign, held.hold).await.is_err());
    store.release(foreign, held.hold).await.unwrap();
    store.apply(foreign, None, &[effect(1, PlaceState::Sold, 1)]).await.unwrap();
    assert_eq!(look(&subject, scope, 0).await, Shown::Held);
    assert_eq!(look(&subject, scope, 1).await, Shown::Free);
    assert_eq!(store.held_by(foreign, held.session).await.unwrap(), 0);
    assert!(subject.environment.now() < held.expires_at);
}
