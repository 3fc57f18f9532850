//! Cases of scans that warm decides alone: one admission per ticket, refusals by the gate filter.

use std::sync::Arc;

use voelgoed_app::scanning::ports::{FirstEntry, NewScan, OfflineScanJournal, ScanResult};
use voelgoed_app::ticketing::ports::{GateFilter, InventoryError, InventoryStore};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};

use super::{loaded, new_scan, new_scope, new_ticket, pending_ids};
use crate::sut::Sut;

/// The second scan is refused with the gate and time of the first.
pub async fn second_scan_of_a_ticket_is_refused_without_cold<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    let first = new_scan(&sut, scope, ticket);
    let stored = sut.store.decide_and_append(scope, first.clone()).await.unwrap();
    assert_eq!((stored.result, &stored.first, &stored.scan), (ScanResult::Admitted, &None, &first));
    assert_eq!(sut.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
    let second = sut.store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap();
    assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
    assert_eq!(second.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
}

/// The gate filter has what cold decided before the outage.
pub async fn used_and_revoked_tickets_are_refused_offline<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, used, revoked) = (loaded(&sut).await, new_ticket(&sut), new_ticket(&sut));
    sut.store.mark_admitted(scope, used).await.unwrap();
    sut.store.mark_revoked(scope, &[revoked]).await.unwrap();
    for (ticket, reason) in [(used, ScanReason::AlreadyUsed), (revoked, ScanReason::Revoked)] {
        let stored = sut.store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap();
        assert_eq!((stored.result, stored.first), (ScanResult::Refused(reason), None));
    }
    let early = NewScan { early: Some(ScanReason::Expired), ..new_scan(&sut, scope, new_ticket(&sut)) };
    let stored = sut.store.decide_and_append(scope, early).await.unwrap();
    assert_eq!(stored.result, ScanResult::Refused(ScanReason::Expired));
    assert_eq!(pending_ids(&sut, scope, None).await.len(), 3, "refusals are stored too");
}

/// An exit does not make the ticket valid again.
pub async fn admitted_ticket_may_exit_offline<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    sut.store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap();
    let exit = NewScan { direction: Direction::Exit, ..new_scan(&sut, scope, ticket) };
    assert_eq!(sut.store.decide_and_append(scope, exit).await.unwrap().result, ScanResult::Admitted);
    let back = sut.store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap();
    assert_eq!(back.result, ScanResult::Refused(ScanReason::AlreadyUsed));
}

/// The device admitted the person already.
pub async fn forced_scan_is_stored_as_admitted<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    sut.store.mark_revoked(scope, &[ticket]).await.unwrap();
    let forced = NewScan { forced: true, ..new_scan(&sut, scope, ticket) };
    assert_eq!(sut.store.decide_and_append(scope, forced.clone()).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(pending_ids(&sut, scope, Some(ticket)).await, [forced.id]);
}

/// A store without the event cannot decide.
pub async fn unloaded_event_stores_no_scan<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (new_scope(&sut), new_ticket(&sut));
    let stored = sut.store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await;
    assert!(matches!(stored, Err(InventoryError::Unloaded)), "{stored:?}");
}

/// Nineteen of twenty concurrent scans are refused (P6).
pub async fn concurrent_gates_admit_a_ticket_once_offline<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    let mut gates = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, scan) = (Arc::clone(&sut.store), new_scan(&sut, scope, ticket));
        gates.spawn(async move { store.decide_and_append(scope, scan).await.unwrap().result });
    }
    let admitted = gates.join_all().await.into_iter().filter(|result| *result == ScanResult::Admitted);
    assert_eq!(admitted.count(), 1);
}
