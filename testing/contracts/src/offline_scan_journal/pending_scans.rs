//! Cases of pending scans: each stays in the journal until cold has recorded it (P3).

use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::scanning::ports::{NewScan, OfflineScanJournal, ScanResult};
use voelgoed_app::ticketing::ports::{GateFilter, InventoryError, InventoryStore};
use voelgoed_domain::ids::ScanId;
use voelgoed_domain::scanning::entry::ScanReason;

use super::{install, loaded, new_scan, new_scope, new_ticket, pending_ids};
use crate::sut::Sut;

/// An event is listed from its first offline scan until cold has the last one, to every node.
pub async fn events_with_pending_scans_are_listed<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, without_scans) = (loaded(&sut).await, loaded(&sut).await);
    for _ in 0..2 {
        let scan = new_scan(&sut, scope, new_ticket(&sut));
        sut.store.decide_and_append(scope, scan.clone()).await.unwrap();
        sut.environment.advance(Duration::from_secs(3600));
        assert!(sut.store.events().await.unwrap().contains(&scope));
        assert_eq!(pending_ids(&sut, scope, None).await, [scan.id]);
        sut.store.remove_recorded(scope, &[scan.id]).await.unwrap();
        for scope in [scope, without_scans] {
            assert!(pending_ids(&sut, scope, None).await.is_empty());
        }
        assert!(sut.store.events().await.unwrap().is_empty(), "no scan is pending");
    }
}

/// A device that got no answer repeats its scan.
pub async fn repeated_scan_is_stored_once<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    let scan = new_scan(&sut, scope, ticket);
    let first = sut.store.decide_and_append(scope, scan.clone()).await.unwrap();
    sut.environment.advance(Duration::from_secs(5));
    let again = NewScan { received_at: sut.environment.now(), ..scan.clone() };
    assert_eq!(sut.store.decide_and_append(scope, again).await.unwrap(), first);
    assert_eq!(pending_ids(&sut, scope, None).await, [scan.id]);
}

/// Until the scan is removed; an unknown scan cannot be acknowledged.
pub async fn acknowledged_scans_are_marked<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, scope, ticket) = (&sut.store, loaded(&sut).await, new_ticket(&sut));
    let [acknowledged, unacknowledged] = [new_scan(&sut, scope, ticket), new_scan(&sut, scope, ticket)];
    for scan in [&acknowledged, &unacknowledged] {
        assert!(!store.decide_and_append(scope, scan.clone()).await.unwrap().acknowledged);
    }
    store.acknowledge(scope, acknowledged.id).await.unwrap();
    assert!(store.decide_and_append(scope, acknowledged.clone()).await.unwrap().acknowledged);
    for stored in [
        store.pending(scope, None, None, 100).await.unwrap(),
        store.begin_intent(scope, sut.environment.uuid(), &[ticket], 100).await.unwrap(),
    ] {
        assert_eq!(stored.len(), 2);
        assert!(stored.iter().all(|stored| stored.acknowledged == (stored.scan.id == acknowledged.id)), "{stored:?}");
    }
    store.remove_recorded(scope, &[acknowledged.id]).await.unwrap();
    store.acknowledge(scope, acknowledged.id).await.unwrap();
    assert!(!store.decide_and_append(scope, acknowledged).await.unwrap().acknowledged, "it is a new scan");
    assert!(matches!(store.acknowledge(new_scope(&sut), unacknowledged.id).await, Err(InventoryError::Unloaded)));
}

/// Pending scans are listed oldest first, by ticket or all; the admission stays in the gate filter.
pub async fn only_recorded_scans_are_removed<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, one, two) = (loaded(&sut).await, new_ticket(&sut), new_ticket(&sut));
    let mut scans = Vec::new();
    for ticket in [one, two, one] {
        sut.environment.advance(Duration::from_secs(1));
        let scan = new_scan(&sut, scope, ticket);
        sut.store.decide_and_append(scope, scan.clone()).await.unwrap();
        scans.push(scan.id);
    }
    assert_eq!(pending_ids(&sut, scope, None).await, scans);
    assert_eq!(pending_ids(&sut, scope, Some(one)).await, [scans[0], scans[2]]);
    let page = async |after, limit| -> Vec<ScanId> {
        let page = sut.store.pending(scope, None, after, limit).await.unwrap();
        page.iter().map(|stored| stored.scan.id).collect()
    };
    assert_eq!(page(None, 2).await, scans[..2]);
    assert_eq!(page(Some(scans[0]), 1).await, scans[1..2]);
    assert_eq!(page(Some(scans[1]), 2).await, scans[2..]);
    assert!(page(Some(scans[2]), 2).await.is_empty());
    assert!(sut.store.events().await.unwrap().contains(&scope), "scans before the cursor are pending");
    sut.store.remove_recorded(scope, &[scans[0], scans[1]]).await.unwrap();
    sut.store.remove_recorded(scope, &[scans[0]]).await.unwrap();
    assert_eq!(page(Some(scans[1]), 2).await, scans[2..], "the cursor is no longer stored");
    assert_eq!(pending_ids(&sut, scope, None).await, [scans[2]]);
    for ticket in [one, two] {
        assert_eq!(sut.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
    }
}

/// Cold does not have the admission yet when the event is loaded again.
pub async fn rebuild_keeps_offline_admissions<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    let scan = new_scan(&sut, scope, ticket);
    sut.store.decide_and_append(scope, scan.clone()).await.unwrap();
    install(&sut, scope, 2).await;
    let second = sut.store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap();
    assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
    sut.store.remove_recorded(scope, &[scan.id]).await.unwrap();
    assert_eq!(sut.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
}

/// Removing scans of one event does not affect another.
pub async fn scans_of_other_events_are_separate<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (here, there, ticket) = (loaded(&sut).await, loaded(&sut).await, new_ticket(&sut));
    let scan = new_scan(&sut, here, ticket);
    sut.store.decide_and_append(here, scan.clone()).await.unwrap();
    sut.store.remove_recorded(there, &[scan.id]).await.unwrap();
    assert!(pending_ids(&sut, there, None).await.is_empty());
    assert_eq!(pending_ids(&sut, here, None).await, [scan.id]);
    assert_eq!(sut.store.gate_filter(there, ticket).await.unwrap(), GateFilter::Unseen);
}
