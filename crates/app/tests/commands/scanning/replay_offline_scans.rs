//! Replays scans that warm decided alone: all of them, oldest first, past a scan that cold cannot write, and with their conflicts.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::error::Dependency;
use voelgoed_app::page::PageRequest;
use voelgoed_app::scanning::ports::{ScanResult, ScanStore};
use voelgoed_app::scanning::scan::ScanCommand;
use voelgoed_cold::Cold;
use voelgoed_domain::ids::ScanId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::entry::Direction;
use voelgoed_resilience::DependencyHealth;

use super::faulty_store::{FaultyStore, StoreFault};
use super::fixture::SoldTicket;
use super::scanner::{ScannerFixture, USED};
use crate::support::code;

const SECOND: Duration = Duration::from_secs(1);
/// Scans that one page takes from the journal.
const SCANS_PER_PAGE_MAX: usize = 200;

/// Puts a faulty path to cold in front of a gate's scanning.
fn with_faults(gate: &mut ScannerFixture) -> Arc<FaultyStore<Cold>> {
    let cold = Arc::new(FaultyStore::new(gate.shop.cold.clone(), Dependency::Cold));
    Arc::make_mut(&mut gate.shop.slices.scanning).store = cold.clone();
    cold
}

async fn stored(gate: &ScannerFixture, scan: ScanId) -> Option<ScanResult> {
    let scan = ScanStore::read_scan(&*gate.shop.cold, gate.shop.scope.organization, scan).await.unwrap();
    scan.map(|scan| scan.result)
}

async fn pending(gate: &ScannerFixture) -> Vec<ScanId> {
    let (journal, scope) = (&gate.shop.slices.scanning.journal, gate.shop.scope);
    journal.pending(scope, None, None, 1_000).await.unwrap().iter().map(|offline| offline.scan.id).collect()
}

#[tokio::test]
async fn offline_scans_are_replayed_oldest_first_with_their_results() {
    let mut gate = ScannerFixture::with_tickets(2).await;
    let cold = with_faults(&mut gate);
    gate.cold_is(DependencyHealth::Down);
    let mut scans = vec![];
    for ticket in [1, 0, 1, 0] {
        scans.push(gate.enter_offline(ticket).await);
        gate.shop.environment.advance(SECOND);
    }
    gate.cold_is(DependencyHealth::Up);
    assert_eq!(gate.shop.slices.scanning.replay_offline_scans().await.unwrap(), scans.len());
    assert_eq!(cold.recorded(), scans);
    for (scan, expected) in scans.iter().zip([ScanResult::Admitted, ScanResult::Admitted, USED, USED]) {
        assert_eq!(stored(&gate, *scan).await, Some(expected));
    }
    assert!(pending(&gate).await.is_empty());
}

#[tokio::test]
async fn replay_continues_after_a_scan_that_cold_cannot_write() {
    for poisoned in 0..3 {
        let mut gate = ScannerFixture::with_tickets(3).await;
        let cold = with_faults(&mut gate);
        gate.cold_is(DependencyHealth::Down);
        let mut scans = vec![];
        for ticket in 0..3 {
            scans.push(gate.enter_offline(ticket).await);
            gate.shop.environment.advance(SECOND);
        }
        gate.cold_is(DependencyHealth::Up);
        cold.poison(scans[poisoned]);
        for _ in 0..2 {
            // The round may report the fault.
            let _reported = gate.shop.slices.scanning.replay_offline_scans().await;
        }
        for (at, scan) in scans.iter().enumerate() {
            let expected = (at != poisoned).then_some(ScanResult::Admitted);
            assert_eq!(stored(&gate, *scan).await, expected, "scan {at} where {poisoned} is poisoned");
        }
        assert_eq!(pending(&gate).await, [scans[poisoned]], "it waits for a person");
    }
}

#[tokio::test]
async fn scans_of_a_ticket_wait_behind_its_scan_that_cold_cannot_write() {
    let mut gate = ScannerFixture::with_tickets(2).await;
    let cold = with_faults(&mut gate);
    gate.cold_is(DependencyHealth::Down);
    let mut scans = vec![];
    for ticket in [0, 1, 0, 0, 1] {
        scans.push(gate.enter_offline(ticket).await);
        gate.shop.environment.advance(SECOND);
    }
    gate.cold_is(DependencyHealth::Up);
    cold.poison(scans[0]);
    gate.shop.slices.scanning.replay_offline_scans().await.unwrap_err();
    assert_eq!(pending(&gate).await, [scans[0], scans[2], scans[3]]);
    cold.heal();
    assert_eq!(gate.shop.slices.scanning.replay_offline_scans().await.unwrap(), 3);
    for (scan, expected) in scans.iter().zip([ScanResult::Admitted, ScanResult::Admitted, USED, USED, USED]) {
        assert_eq!(stored(&gate, *scan).await, Some(expected));
    }
}

#[tokio::test]
async fn scans_of_other_tickets_are_decided_by_cold_beside_one_that_cold_cannot_write() {
    let mut gate = ScannerFixture::with_tickets(2).await;
    let cold = with_faults(&mut gate);
    gate.cold_is(DependencyHealth::Down);
    cold.poison(gate.enter_offline(0).await);
    gate.cold_is(DependencyHealth::Up);
    assert_eq!(gate.enter(1).await, (ScanResult::Admitted, true));
}

#[tokio::test]
async fn replay_that_loses_cold_goes_on_in_a_later_round() {
    let mut gate = ScannerFixture::with_tickets(2).await;
    let cold = with_faults(&mut gate);
    gate.cold_is(DependencyHealth::Down);
    let scans = [gate.enter_offline(0).await, gate.enter_offline(1).await];
    gate.cold_is(DependencyHealth::Up);
    for fault in [StoreFault::Unavailable, StoreFault::LosesAnswer] {
        cold.set(fault);
        let _reported = gate.shop.slices.scanning.replay_offline_scans().await;
        assert_eq!(pending(&gate).await.len(), 2, "{fault:?}");
    }
    cold.set(StoreFault::None);
    assert_eq!(gate.shop.slices.scanning.replay_offline_scans().await.unwrap(), 2);
    for scan in scans {
        assert_eq!(stored(&gate, scan).await, Some(ScanResult::Admitted));
    }
    assert!(pending(&gate).await.is_empty());
}

#[tokio::test]
async fn one_round_replays_more_scans_than_fit_on_a_page() {
    for scans in [SCANS_PER_PAGE_MAX, SCANS_PER_PAGE_MAX + 1] {
        let gate = ScannerFixture::with_tickets(1).await;
        gate.cold_is(DependencyHealth::Down);
        for _ in 0..scans {
            gate.enter_offline(0).await;
        }
        gate.cold_is(DependencyHealth::Up);
        assert_eq!(gate.shop.slices.scanning.replay_offline_scans().await.unwrap(), scans);
        assert_eq!(gate.shop.slices.scanning.replay_offline_scans().await.unwrap(), 0);
        assert!(pending(&gate).await.is_empty());
    }
}

#[tokio::test]
async fn page_of_scans_that_cold_cannot_write_does_not_keep_scans_of_other_tickets_from_cold() {
    let mut gate = ScannerFixture::with_tickets(2).await;
    let cold = with_faults(&mut gate);
    gate.cold_is(DependencyHealth::Down);
    let mut scans = vec![];
    for ticket in [vec![0; SCANS_PER_PAGE_MAX + 1], vec![1, 0]].concat() {
        scans.push(gate.enter_offline(ticket).await);
        gate.shop.environment.advance(Duration::from_millis(1));
    }
    let other = scans.remove(SCANS_PER_PAGE_MAX + 1);
    gate.cold_is(DependencyHealth::Up);
    cold.poison(scans[0]);
    gate.shop.slices.scanning.replay_offline_scans().await.unwrap_err();
    assert_eq!(cold.recorded(), [other], "the scans of the first ticket wait behind its first one");
    assert_eq!(pending(&gate).await, scans);
    cold.heal();
    assert_eq!(gate.shop.slices.scanning.replay_offline_scans().await.unwrap(), scans.len());
    assert_eq!(cold.recorded()[1..], scans);
}

#[tokio::test]
async fn offline_scan_of_a_ticket_that_cold_admitted_elsewhere_is_recorded_as_a_conflict() {
    let sold = SoldTicket::sell().await;
    let (one, two) = (sold.node(), sold.node());
    two.warm.set(StoreFault::Unavailable);
    let (first, second) = (sold.scan_at(0), sold.scan_at(1));
    assert!(two.scan(&first).await.unwrap().durable, "cold admitted it, and warm does not know");
    one.cold.set(StoreFault::Unavailable);
    let offline = one.scan(&second).await.unwrap();
    assert_eq!((offline.scan.result, offline.durable, offline.scan.conflict), (ScanResult::Admitted, false, false));
    one.cold.set(StoreFault::None);
    assert_eq!(one.scanning.replay_offline_scans().await.unwrap(), 1);
    let conflicts = one.scanning.store.scans(sold.scope.organization, sold.scope.event, true, PageRequest::default());
    let conflicts = conflicts.await.unwrap().items;
    assert_eq!(conflicts.iter().map(|scan| scan.id).collect::<Vec<_>>(), [second.1.id]);
    assert_eq!(conflicts[0].result, ScanResult::Admitted, "an admission is not taken back");
    assert_eq!(conflicts[0].first.as_ref().map(|first| first.gate), Some(first.1.gate));
}

#[tokio::test]
async fn device_keeps_a_scan_that_neither_tier_can_decide() {
    let gate = ScannerFixture::with_tickets(1).await;
    gate.cold_is(DependencyHealth::Down);
    gate.shop.slices.context.capabilities.report(Dependency::Warm, DependencyHealth::Down);
    let refused = crate::support::refusal(gate.scan(gate.command(0)).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::OfflineRules, Some(5)));
    assert_eq!(code(gate.shop.slices.scanning.replay_offline_scans().await), Code::OfflineRules);
    assert!(pending(&gate).await.is_empty());
}

#[tokio::test]
async fn next_scan_of_a_ticket_records_20_of_its_offline_scans_first() {
    let gate = ScannerFixture::with_tickets(2).await;
    gate.cold_is(DependencyHealth::Down);
    let other = gate.enter_offline(1).await;
    for _ in 0..25 {
        gate.enter_offline(0).await;
    }
    gate.cold_is(DependencyHealth::Up);
    assert_eq!(gate.enter(0).await, (USED, true));
    assert_eq!(pending(&gate).await.len(), 5 + 1);
    assert_eq!(stored(&gate, other).await, None, "the scan of another ticket waits for a round");
}

#[tokio::test]
async fn exit_after_an_offline_entry_is_admitted_by_cold() {
    let gate = ScannerFixture::with_tickets(1).await;
    gate.cold_is(DependencyHealth::Down);
    gate.enter_offline(0).await;
    gate.cold_is(DependencyHealth::Up);
    let exit = ScanCommand { direction: Direction::Exit, ..gate.command(0) };
    let scanned = gate.scan(exit).await.unwrap();
    assert_eq!((scanned.scan.result, scanned.durable, scanned.degraded), (ScanResult::Admitted, true, false));
    assert!(pending(&gate).await.is_empty());
}
