//! Records scans in cold that warm decided while cold was unavailable: those of one ticket before its next scan, all others once cold answers (P3, P6).
//!
//! Any node may repeat this at any time, because cold writes each scan's identifier once. Never: an admission undone by cold; cold records an objection as a
//! conflict.

use std::collections::HashSet;
use std::time::Duration;

use voelgoed_domain::ids::{ScanId, TicketId};
use voelgoed_resilience::{Capability, LogInterval};
use voelgoed_telemetry::metrics::scanning::scan_conflict;

use super::Scanning;
use super::ports::{NewScan, OfflineScan, ScanResult};
use crate::error::{CommandError, CommandResult, Fault, StoreResult};
use crate::ticketing::ports::{EventScope, InventoryError};

/// The time between two rounds.
pub const REPLAY_INTERVAL: Duration = Duration::from_secs(1);
/// Scans of one page.
const SCANS_PER_PAGE_MAX: usize = 200;
static UNRECORDED_LOG: LogInterval = LogInterval::new(Duration::from_secs(60));

/// What cold could not record in one round.
#[derive(Default)]
struct UnrecordedScans {
    /// Later scans of these tickets wait, because the scans of one ticket are recorded in their order.
    tickets: HashSet<TicketId>,
    first_fault: Option<Fault>,
}

impl Scanning {
    /// Runs one round over all events with offline scans; returns the number of scans that cold recorded. A scan that cold cannot record stays in the
    /// journal and delays no other.
    ///
    /// # Errors
    /// The first fault. A fault of one scan or event leaves the others recorded; where a tier is unavailable, the round ends, and the next one continues.
    pub async fn replay_offline_scans(&self) -> CommandResult<usize> {
        if self.context.require(Capability::Scan)?.is_some() {
            return Ok(0);
        }
        let (mut replayed, mut first_error) = (0, None);
        for scope in self.journal.events().await? {
            match self.replay_event(scope).await {
                Ok(count) => replayed += count,
                Err(error @ CommandError::Fault(Fault::Internal(_))) => first_error = first_error.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        first_error.map_or(Ok(replayed), Err)
    }

    async fn replay_event(&self, scope: EventScope) -> CommandResult<usize> {
        let (mut replayed, mut unrecorded, mut after) = (0, UnrecordedScans::default(), None);
        loop {
            let page = match self.journal.pending(scope, None, after, SCANS_PER_PAGE_MAX).await {
                Ok(page) => page,
                // Lost with the store; the devices have their copies.
                Err(InventoryError::Unloaded | InventoryError::Refused(_)) => Vec::new(),
                Err(InventoryError::Fault(fault)) => return Err(fault.into()),
            };
            let ids: Vec<ScanId> = page.iter().map(|offline| offline.scan.id).collect();
            let recorded = self.record_page(scope, page, &mut unrecorded).await?;
            replayed += recorded.len();
            if ids.len() < SCANS_PER_PAGE_MAX {
                return unrecorded.first_fault.map_or(Ok(replayed), |fault| Err(fault.into()));
            }
            // The next page begins behind the last scan that stays in the journal.
            after = ids.into_iter().rfind(|id| !recorded.contains(id)).or(after);
        }
    }

    /// Records these scans in cold, oldest first, and removes the recorded ones from the journal.
    ///
    /// # Errors
    /// The first fault. A scan whose fault is its own leaves those of other tickets recorded; where cold is unavailable, the rest is not tried.
    pub(super) async fn record_offline_scans(
        &self,
        scope: EventScope,
        offline_scans: Vec<OfflineScan>,
    ) -> CommandResult<()> {
        let mut unrecorded = UnrecordedScans::default();
        self.record_page(scope, offline_scans, &mut unrecorded).await?;
        unrecorded.first_fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Records scans and returns those that it has removed from the journal; scans whose fault is their own are added to `unrecorded`.
    async fn record_page(
        &self,
        scope: EventScope,
        page: Vec<OfflineScan>,
        unrecorded: &mut UnrecordedScans,
    ) -> CommandResult<Vec<ScanId>> {
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let admissions = self.admissions(scope).await;
        let (mut recorded, mut outage) = (Vec::new(), None);
        for offline in page {
            let (id, ticket) = (offline.scan.id, offline.scan.ticket);
            if ticket.is_some_and(|ticket| unrecorded.tickets.contains(&ticket)) {
                continue;
            }
            let new = NewScan { admissions: admissions.clone(), ..as_decided(offline) };
            match self.record_offline_scan(scope, new).await {
                Ok(()) => recorded.push(id),
                Err(fault @ Fault::Internal(_)) => {
                    if let Some(suppressed) = UNRECORDED_LOG.due() {
                        tracing::error!(organization = %scope.organization, event = %scope.event, scan = %id, %fault, suppressed, slice = "scanning", "cold cannot record an offline scan; it stays in the journal");
                    }
                    unrecorded.tickets.extend(ticket);
                    unrecorded.first_fault.get_or_insert(fault);
                }
                Err(fault) => {
                    outage = Some(fault);
                    break;
                }
            }
        }
        if !recorded.is_empty() {
            match self.journal.remove_recorded(scope, &recorded).await {
                Ok(()) | Err(InventoryError::Unloaded) => {}
                Err(InventoryError::Refused(refusal)) => return Err(refusal.into()),
                Err(InventoryError::Fault(fault)) => return Err(fault.into()),
            }
        }
        outage.map_or(Ok(recorded), |fault| Err(fault.into()))
    }

    async fn record_offline_scan(&self, scope: EventScope, new: NewScan) -> StoreResult<()> {
        let recorded = self.store.record_scan(scope.organization, new).await?;
        if recorded.scan.conflict && !recorded.repeated {
            tracing::warn!(organization = %scope.organization, event = %scope.event, scan = %recorded.scan.id, slice = "scanning", "an admission by warm conflicts with cold");
            scan_conflict();
        }
        Ok(())
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
