//! Cases of the change log: a reader gets every step in order, or a snapshot (P8).

use voelgoed_domain::ticketing::inventory::{CatchUp, InventorySnapshot, LOG_STEPS_MAX};

use super::*;

/// Every writing step is one entry with the next number, and a signal; replaying the entries gives the snapshot.
pub async fn change_log_has_no_gaps_and_signals_each_step<S: InventoryStore>(sut: Sut<S>) {
    let store = &sut.store;
    let mut signals = store.subscribe();
    let scope = loaded(&sut).await;
    let start = store.snapshot(scope).await.unwrap();
    let wanted = request(&sut, seats(&[0, 1]));
    let held = store.hold(scope, wanted.clone()).await.unwrap();
    store.change_hold(scope, HoldRequest { picks: seats(&[1, 2]), ..wanted }).await.unwrap();
    store.pin(scope, held.hold).await.unwrap();
    store.apply(scope, None, &[effect(5, PlaceState::Sold, 1)]).await.unwrap();
    store.unpin(scope, held.hold).await.unwrap();
    store.release(scope, held.hold).await.unwrap();
    let _ = store.read_hold(scope, held.hold).await;

    let end = store.snapshot(scope).await.unwrap();
    assert_eq!(end.position, Position { epoch: Epoch(1), seq: 6 }, "six steps wrote");
    for since in 0..=6 {
        let CatchUp::Changes(changes) =
            store.changes_since(scope, Position { seq: since, ..end.position }).await.unwrap()
        else {
            panic!("all steps are stored")
        };
        let numbers: Vec<_> = changes.iter().map(|change| change.position.seq).collect();
        assert_eq!(numbers, (since + 1..=6).collect::<Vec<_>>());
        if since == 0 {
            assert_eq!(changes[1].places, [(PlaceNumber(0), DisplayState::Free), (PlaceNumber(2), DisplayState::Held)]);
            let mut replayed =
                InventorySnapshot { position: end.position, counts: end.counts.clone(), ..start.clone() };
            for (place, shown) in changes.iter().flat_map(|change| &change.places) {
                replayed.places[place.index()] = *shown;
            }
            assert_eq!(replayed, end);
        }
    }
    let mut last = None;
    while last != Some(end.position) {
        let signal = tokio::time::timeout(Duration::from_secs(5), signals.recv()).await.unwrap().unwrap();
        if signal.scope == scope {
            assert!(Some(signal.position) > last, "signals come in order");
            last = Some(signal.position);
        }
    }
}

/// The position is no longer stored, not yet reached, or of another epoch.
pub async fn reader_far_behind_or_of_another_epoch_gets_a_snapshot<S: InventoryStore>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    for version in 1..=u32::try_from(LOG_STEPS_MAX).unwrap() + 1 {
        store.apply(scope, None, &[effect(0, PlaceState::Sold, version)]).await.unwrap();
    }
    let end = store.snapshot(scope).await.unwrap();
    let is_snapshot = |catch_up: CatchUp| matches!(catch_up, CatchUp::Snapshot(snapshot) if snapshot == end);
    let at = |epoch, seq| Position { epoch: Epoch(epoch), seq };
    for since in [at(1, 0), at(0, 5), at(1, end.position.seq + 1), at(2, 0)] {
        assert!(is_snapshot(store.changes_since(scope, since).await.unwrap()), "{since}");
    }
    let near = at(1, end.position.seq - 10);
    assert!(
        matches!(store.changes_since(scope, near).await.unwrap(), CatchUp::Changes(changes) if changes.len() == 10)
    );
}
