//! Which tier decides a scan: cold while it is there, warm alone while it is not, neither where both are away (P3, P6, P10).
//!
//! Never: an answer `durable` before cold has flushed the scan; a scan decided by cold while warm keeps an admission of the same ticket that cold has
//! not got yet: that goes first.

use std::time::Duration;

use voelgoed_domain::ids::{OrganizationId, TicketId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::entry::filter_refusal;
use voelgoed_domain::ticketing::inventory::GateFilter;
use voelgoed_resilience::{Capability, Deadline, Degradation, Dependency};

use voelgoed_planted::{Bug, planted};

use super::ports::{KeptScan, NewScan, Scan, ScanResult};
use super::settle_kept::settle;
use crate::error::{Error, Fault, Result};
use crate::platform::Platform;
use crate::ticketing::ports::{EventScope, InventoryError};
use crate::ticketing::rebuild::loaded;

/// Cold may take so long for a scan; then warm decides, since people stand at the gate.
const COLD_WITHIN: Duration = Duration::from_secs(2);
/// Asking warm what it keeps of a ticket may take so long.
const WARM_WITHIN: Duration = Duration::from_millis(500);
/// The most scans of one ticket that are brought to cold before the next one.
pub(super) const MOST_OF_A_TICKET: usize = 20;

/// A scan with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The scan as decided.
    pub scan: Scan,
    /// True where this id may have been answered before: the answer is the first one.
    pub repeated: bool,
    /// True once cold has it; otherwise the device keeps its copy and sends it again.
    pub durable: bool,
    /// True where a part of the platform was away.
    pub degraded: bool,
}

/// Decides a scan.
pub(super) async fn decide(platform: &Platform, organization: OrganizationId, new: NewScan) -> Result<Scanned> {
    let scope = EventScope { organization, event: new.event };
    let less = platform.capable(Capability::Scan)?;
    if less == Some(Degradation::WarmDecides) {
        return by_warm(platform, scope, new).await;
    }
    let mut degraded = less.is_some();
    if let (false, Some(ticket)) = (degraded, new.ticket) {
        degraded = !planted(Bug::KeptScanOvertaken) && !caught_up(platform, scope, ticket).await;
    }
    let asked = platform.scans.record_scan(organization, new.clone());
    let fault = match Deadline::within(COLD_WITHIN).wrap(asked).await {
        Ok(Ok(recorded)) => {
            return Ok(Scanned { scan: recorded.scan, repeated: recorded.repeated, durable: true, degraded });
        }
        Ok(Err(fault @ Fault::Internal(_))) => return Err(fault.into()),
        Ok(Err(fault)) => fault,
        // It may still be written; under the same identifier that is no harm.
        Err(late) => Fault::Ambiguous { dependency: Dependency::Cold, detail: late.to_string() },
    };
    tracing::warn!(%organization, event = %scope.event, %fault, slice = "scanning", "cold did not take a scan; warm decides");
    by_warm(platform, scope, new).await
}

/// Brings what warm keeps of the ticket to cold; false where warm did not answer.
async fn caught_up(platform: &Platform, scope: EventScope, ticket: TicketId) -> bool {
    let kept = || platform.kept_scans.kept(scope, Some(ticket), MOST_OF_A_TICKET);
    let caught_up = async {
        let kept = loaded(platform, scope, kept).await?;
        settle(platform, scope, kept).await
    };
    match Deadline::within(WARM_WITHIN).wrap(caught_up).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::info!(event = %scope.event, %error, slice = "scanning", "a scan goes on without the warm tier");
            false
        }
        Err(late) => {
            tracing::info!(event = %scope.event, error = %late, slice = "scanning", "a scan goes on without the warm tier");
            false
        }
    }
}

async fn by_warm(platform: &Platform, scope: EventScope, new: NewScan) -> Result<Scanned> {
    // Without a ticket the code has decided; there is nothing that the warm tier could keep it under, and the device keeps its copy.
    if new.ticket.is_none() {
        let refusal = filter_refusal(GateFilter::Unseen, new.direction, new.early, new.forced);
        let result = refusal.map_or(ScanResult::Admitted, ScanResult::Refused);
        return Ok(undurable(KeptScan { scan: new, result, first: None }));
    }
    match platform.kept_scans.keep(scope, new).await {
        Ok(kept) => Ok(undurable(kept)),
        Err(InventoryError::Refused(refusal)) => Err(refusal.into()),
        Err(error @ (InventoryError::Unloaded | InventoryError::Fault(_))) => {
            tracing::warn!(organization = %scope.organization, event = %scope.event, %error, slice = "scanning", "neither tier decides; the gate is on its own");
            Err(offline())
        }
    }
}

fn offline() -> Error {
    let words = "Neither store answers. Go by the offline rules, keep the scan, and send it again.";
    Refusal::new(Code::OfflineRules, words).with(|evidence| evidence.retry_after = Some(5)).into()
}

fn undurable(KeptScan { scan, result, first }: KeptScan) -> Scanned {
    let scan = Scan {
        id: scan.id,
        event: scan.event,
        ticket: scan.ticket,
        label: None,
        ticket_type_name: None,
        gate: scan.gate.id,
        device: scan.device,
        direction: scan.direction,
        result,
        first,
        scanned_at: scan.scanned_at,
        received_at: scan.received_at,
        forced: scan.forced,
        conflict: false,
    };
    Scanned { scan, repeated: true, durable: planted(Bug::WarmScanDurable), degraded: true }
}
