//! Scans while cold is unavailable: one ticket, one admission, and the answer is `durable: false` (P3, P6).

use voelgoed_app::scanning::ports::ScanResult;
use voelgoed_resilience::DependencyHealth;

use super::scanner::{ScannerFixture, USED};

#[tokio::test]
async fn scan_that_only_warm_has_is_not_durable() {
    let gate = ScannerFixture::with_tickets(1).await;
    gate.cold_is(DependencyHealth::Down);
    assert_eq!(gate.enter(0).await, (ScanResult::Admitted, false));
    assert_eq!(gate.enter(0).await, (USED, false), "warm remembers");
}

#[tokio::test]
async fn ticket_that_warm_admitted_is_not_admitted_again_by_cold() {
    let gate = ScannerFixture::with_tickets(1).await;
    gate.cold_is(DependencyHealth::Down);
    assert_eq!(gate.enter(0).await, (ScanResult::Admitted, false));
    gate.cold_is(DependencyHealth::Up);
    // `replay_offline_scans` has not run yet. The next scan of the ticket records the offline scan in cold first.
    assert_eq!(gate.enter(0).await, (USED, true));
}

#[tokio::test]
async fn offline_scan_is_replayed_to_cold_once_cold_answers() {
    let gate = ScannerFixture::with_tickets(1).await;
    gate.cold_is(DependencyHealth::Down);
    assert_eq!(gate.enter(0).await, (ScanResult::Admitted, false));
    let (slices, scope) = (&gate.shop.slices, gate.shop.scope);
    assert_eq!(slices.scanning.replay_offline_scans().await.unwrap(), 0, "not while cold is unavailable");
    gate.cold_is(DependencyHealth::Up);
    assert_eq!(slices.scanning.replay_offline_scans().await.unwrap(), 1);
    let pending = slices.scanning.journal.pending(scope, None, None, 10).await.unwrap();
    assert!(pending.is_empty());
    assert_eq!(gate.enter(0).await, (USED, true));
}
