//! Records scans in cold that warm decided while cold was unavailable: those of one ticket before its next scan, all others once cold answers (P3, P6).
//!
//! Any node may repeat this at any time, because cold writes each scan's identifier once. Never: an admission undone by cold; cold records an objection as a
//! conflict.

use std::time::Duration;

use voelgoed_domain::ids::ScanId;
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::scanning::scan_conflict;

use super::Scanning;
use super::ports::{NewScan, OfflineScan, ScanResult};
use crate::error::CommandResult;
use crate::ticketing::ports::{EventScope, InventoryError};

/// The time between two rounds.
pub const REPLAY_INTERVAL: Duration = Duration::from_secs(1);
/// Scans of one page.
const SCANS_PER_PAGE_MAX: usize = 200;

impl Scanning {
    /// Runs one round over all events with offline scans; returns the number of scans that cold recorded.
    ///
    /// # Errors
    /// A fault of either tier; the next round continues.
    pub async fn replay_offline_scans(&self) -> CommandResult<usize> {
        if self.context.require(Capability::Scan)?.is_some() {
            return Ok(0);
        }
        let mut replayed = 0;
        for scope in self.journal.events().await? {
            loop {
                let page = match self.journal.pending(scope, None, SCANS_PER_PAGE_MAX).await {
                    Ok(page) => page,
                    // Lost with the store; the devices have their copies.
                    Err(InventoryError::Unloaded | InventoryError::Refused(_)) => Vec::new(),
                    Err(InventoryError::Fault(fault)) => return Err(fault.into()),
                };
                let count = page.len();
                self.record_offline_scans(scope, page).await?;
                replayed += count;
                if count < SCANS_PER_PAGE_MAX {
                    break;
                }
            }
        }
        Ok(replayed)
    }

    /// Records these scans in cold, oldest first, and removes them from the journal.
    pub(super) async fn record_offline_scans(
        &self,
        scope: EventScope,
        offline_scans: Vec<OfflineScan>,
    ) -> CommandResult<()> {
        if offline_scans.is_empty() {
            return Ok(());
        }
        let admissions = self.admissions(scope).await;
        let ids: Vec<ScanId> = offline_scans.iter().map(|offline| offline.scan.id).collect();
        for offline in offline_scans {
            let new = NewScan { admissions: admissions.clone(), ..as_decided(offline) };
            let recorded = self.store.record_scan(scope.organization, new).await?;
            if recorded.scan.conflict && !recorded.repeated {
                tracing::warn!(organization = %scope.organization, event = %scope.event, scan = %recorded.scan.id, slice = "scanning", "an admission by warm conflicts with cold");
                scan_conflict();
            }
        }
        match self.journal.remove_recorded(scope, &ids).await {
            Ok(()) | Err(InventoryError::Unloaded) => Ok(()),
            Err(InventoryError::Refused(refusal)) => Err(refusal.into()),
            Err(InventoryError::Fault(fault)) => Err(fault.into()),
        }
    }
}

/// Keeps a decision of warm that a node acknowledged. Cold decides all other scans itself, because the store may have applied them long after their callers
/// had given up and the ticket had admitted others.
fn as_decided(offline: OfflineScan) -> NewScan {
    if !offline.acknowledged {
        return offline.scan;
    }
    match offline.result {
        ScanResult::Admitted => NewScan { forced: true, ..offline.scan },
        ScanResult::Refused(reason) => NewScan { early: Some(reason), ..offline.scan },
    }
}
