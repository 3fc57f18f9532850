//! Scans that warm decided while cold was away reach cold: before the next scan of their ticket, and all of them once it is back (P3, P6).
//!
//! Repeatable by any node at any time: a scan's identifier is written once. Whoever was let in was let in: cold writes it as such and reports what
//! speaks against it as a conflict.

use std::time::Duration;

use voelgoed_domain::ids::ScanId;
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::scanning::scan_conflict;

use super::ports::{NewScan, OfflineScan, ScanResult};
use super::scan::admissions;
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::{EventScope, InventoryError};

/// How often it runs.
pub const EVERY: Duration = Duration::from_secs(1);
/// Scans of an event that are taken at once.
const MOST_AT_ONCE: usize = 200;

/// One round over every event of which scans may be kept; returns how many scans reached cold.
///
/// # Errors
/// A fault of either tier; what is left is taken in the next round.
pub async fn replay_offline_scans(platform: &Platform) -> Result<usize> {
    if platform.capable(Capability::Scan)?.is_some() {
        return Ok(0);
    }
    let mut settled = 0;
    for scope in platform.kept_scans.events().await? {
        loop {
            let kept = match platform.kept_scans.kept(scope, None, MOST_AT_ONCE).await {
                Ok(kept) => kept,
                // Lost with the store; the devices have kept their copies.
                Err(InventoryError::Unloaded | InventoryError::Refused(_)) => Vec::new(),
                Err(InventoryError::Fault(fault)) => return Err(fault.into()),
            };
            let count = kept.len();
            settle(platform, scope, kept).await?;
            settled += count;
            if count < MOST_AT_ONCE {
                break;
            }
        }
    }
    Ok(settled)
}

/// Writes these to cold, the oldest first, and lets warm forget them.
pub(super) async fn settle(platform: &Platform, scope: EventScope, kept: Vec<OfflineScan>) -> Result<()> {
    if kept.is_empty() {
        return Ok(());
    }
    let admissions = admissions(platform, scope).await;
    let ids: Vec<ScanId> = kept.iter().map(|kept| kept.scan.id).collect();
    for kept in kept {
        let new = NewScan { admissions: admissions.clone(), ..as_decided(kept) };
        let recorded = platform.scans.record_scan(scope.organization, new).await?;
        if recorded.scan.conflict && !recorded.repeated {
            tracing::warn!(organization = %scope.organization, event = %scope.event, scan = %recorded.scan.id, slice = "scanning", "a scan that warm let in is in conflict");
            scan_conflict();
        }
    }
    match platform.kept_scans.settle(scope, &ids).await {
        Ok(()) | Err(InventoryError::Unloaded) => Ok(()),
        Err(InventoryError::Refused(refusal)) => Err(refusal.into()),
        Err(InventoryError::Fault(fault)) => Err(fault.into()),
    }
}

/// Cold takes over what was decided: it may object, but nobody is let in or out again. What nobody was told of, it decides itself: the store may have
/// carried it out long after its caller had given up, when others had come in on the ticket.
fn as_decided(kept: OfflineScan) -> NewScan {
    if !kept.told {
        return kept.scan;
    }
    match kept.result {
        ScanResult::Admitted => NewScan { forced: true, ..kept.scan },
        ScanResult::Refused(reason) => NewScan { early: Some(reason), ..kept.scan },
    }
}
