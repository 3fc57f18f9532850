//! Which tier decides a scan: cold while it is there, warm alone while it is not, neither where both are away (P3, P6, P10).
//!
//! Never: an answer `durable` before cold has flushed the scan; an admission answered as not `degraded` before both know of it; a scan decided by cold
//! while warm keeps an admission of the same ticket that cold has not got yet: that goes first; a scan decided by warm that this node knows to be behind.

use std::time::Duration;

use voelgoed_domain::catalog::admission::Admissions;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::entry::{Direction, ScanReason, filter_refusal};
use voelgoed_domain::ticketing::inventory::GateFilter;
use voelgoed_planted::{Bug, planted};
use voelgoed_resilience::{Capability, Deadline, Degradation, Dependency};

use super::gate_filter_sync::{announce, answered, catch_up, caught_up};
use super::ports::{NewScan, OfflineScan, Scan, ScanResult};
use crate::error::{Error, Fault, Result};
use crate::platform::Platform;
use crate::ticketing::ports::{EventScope, InventoryError};

/// Cold may take so long for a scan; then warm decides, since people stand at the gate.
const COLD_WITHIN: Duration = Duration::from_secs(2);
/// Warm is told what it could not be told before within this; people wait.
const CAUGHT_UP_WITHIN: Duration = Duration::from_millis(500);
/// What neither tier decides is sent again after so many seconds.
const SOON: u32 = 5;

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
    // Whoever leaves lets nobody in: of that warm need not hear.
    let enters = new.ticket.filter(|_| new.direction == Direction::Entry);
    let mut announced = false;
    if !degraded {
        degraded = match (enters, new.ticket) {
            (Some(ticket), _) => {
                announced = announce(platform, scope, new.id.uuid(), &[ticket]).await;
                !announced
            }
            (None, Some(ticket)) => !caught_up(platform, scope, ticket).await,
            (None, None) => false,
        };
    }
    let asked = platform.scans.record_scan(organization, new.clone());
    let fault = match Deadline::within(COLD_WITHIN).wrap(asked).await {
        Ok(Ok(recorded)) => {
            if let Some(ticket) = enters {
                let admitted = recorded.scan.result == ScanResult::Admitted;
                let became = if admitted { GateFilter::Admitted } else { GateFilter::Unseen };
                if announced || admitted {
                    degraded |= !answered(platform, scope, new.id.uuid(), &[ticket], became, announced).await;
                }
            }
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

async fn by_warm(platform: &Platform, scope: EventScope, new: NewScan) -> Result<Scanned> {
    let new = bounded(new);
    // Without a ticket the code has decided; there is nothing that the warm tier could keep it under, and the device keeps its copy.
    if new.ticket.is_none() {
        let refusal = filter_refusal(GateFilter::Unseen, new.direction, new.early, new.forced);
        let result = refusal.map_or(ScanResult::Admitted, ScanResult::Refused);
        return Ok(undurable(OfflineScan { scan: new, result, first: None, told: true }));
    }
    if !Deadline::within(CAUGHT_UP_WITHIN).wrap(catch_up(platform, scope)).await.unwrap_or(false) {
        return Err(offline());
    }
    let scan = new.id;
    let kept = async {
        let kept = platform.kept_scans.keep(scope, new).await?;
        // A decision whose answer is lost on its way here must not count as one that somebody was told of.
        platform.kept_scans.told(scope, scan).await?;
        Ok::<_, InventoryError>(kept)
    };
    match kept.await {
        Ok(kept) => Ok(undurable(kept)),
        Err(InventoryError::Refused(refusal)) => Err(refusal.with(|evidence| evidence.retry_after = Some(SOON)).into()),
        Err(error @ (InventoryError::Unloaded | InventoryError::Fault(_))) => {
            tracing::warn!(organization = %scope.organization, event = %scope.event, %error, slice = "scanning", "neither tier decides; the gate is on its own");
            Err(offline())
        }
    }
}

/// Warm does not know a ticket's type: it goes by the widest window of the event. Cold looks closer once it has the scan.
fn bounded(new: NewScan) -> NewScan {
    let Some(widest) = new.admissions.as_ref().map(Admissions::widest).filter(|_| new.early.is_none()) else {
        return new;
    };
    NewScan { early: widest.objection(&new.time()), window: Some(widest), ..new }
}

fn offline() -> Error {
    let words = "Neither store answers. Go by the offline rules, keep the scan, and send it again.";
    Refusal::new(Code::OfflineRules, words).with(|evidence| evidence.retry_after = Some(SOON)).into()
}

fn undurable(OfflineScan { scan, result, first, told: _ }: OfflineScan) -> Scanned {
    let clock = scan.time().clock;
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
        clock,
        window: scan.window.filter(|_| matches!(result, ScanResult::Refused(ScanReason::NotYet | ScanReason::Expired))),
    };
    Scanned { scan, repeated: true, durable: planted(Bug::WarmScanDurable), degraded: true }
}
