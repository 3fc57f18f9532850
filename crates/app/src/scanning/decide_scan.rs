//! Decides a scan in cold, in warm alone while cold is unavailable, or leaves it to the device while both are (P3, P6, P10).
//!
//! | Cold | Warm | Decision |
//! |---|---|---|
//! | up | up | cold decides between an intent and its resolution in warm: `durable` |
//! | up | unavailable | cold decides: `durable`, `degraded`; the update of the filter stays pending |
//! | unavailable | up | warm decides from its filter: not `durable`, `degraded` |
//! | unavailable | unavailable | refused as `offline_rules`; the device keeps the scan |
//!
//! `durable` means that cold has flushed the scan. Cold decides after it has the offline scans of the same ticket. Warm decides only while this node has no
//! pending update of the same event.

use std::time::Duration;

use voelgoed_domain::catalog::admission_window::AdmissionWindows;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::entry::{Direction, ScanReason, filter_refusal};
use voelgoed_domain::ticketing::inventory::GateFilter;
use voelgoed_resilience::{Capability, Deadline, Degradation, Dependency};

use super::Scanning;
use super::ports::{NewScan, OfflineScan, Scan, ScanResult};
use crate::error::{CommandError, CommandResult, Fault};
use crate::ticketing::ports::{EventScope, InventoryError};

/// After this time without an answer of cold, warm decides; people wait at the gate.
const COLD_TIMEOUT: Duration = Duration::from_secs(2);
/// The time for warm to acknowledge the event's pending updates before it decides.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);
/// Seconds after which a device sends a scan again that neither tier decided.
const RETRY_SECONDS: u32 = 5;

/// A decided scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanOutcome {
    /// The scan with its result.
    pub scan: Scan,
    /// True if this id may have been answered before; the result is the first one.
    pub repeated: bool,
    /// True if cold has recorded the scan; otherwise the device keeps its copy and sends it again.
    pub durable: bool,
    /// True if a dependency was unavailable.
    pub degraded: bool,
}

impl Scanning {
    /// Decides a scan.
    pub(super) async fn decide(&self, organization: OrganizationId, new: NewScan) -> CommandResult<ScanOutcome> {
        let scope = EventScope { organization, event: new.event };
        let degradation = self.context.require(Capability::Scan)?;
        if degradation == Some(Degradation::WarmDecides) {
            return self.decide_in_warm(scope, new).await;
        }
        let mut degraded = degradation.is_some();
        // An exit is no admission, so it needs no intent.
        let enters = new.ticket.filter(|_| new.direction == Direction::Entry);
        let mut begun = false;
        if !degraded {
            degraded = match (enters, new.ticket) {
                (Some(ticket), _) => {
                    begun = self.begin_intent(scope, new.id.uuid(), &[ticket]).await;
                    !begun
                }
                (None, Some(ticket)) => !self.record_offline_scans_of(scope, ticket).await,
                (None, None) => false,
            };
        }
        let recording = self.store.record_scan(organization, new.clone());
        let fault = match Deadline::after_capped(COLD_TIMEOUT).timeout(recording).await {
            Ok(Ok(recorded)) => {
                if let Some(ticket) = enters {
                    let admitted = recorded.scan.result == ScanResult::Admitted;
                    let became = if admitted { GateFilter::Admitted } else { GateFilter::Unseen };
                    if begun || admitted {
                        degraded |= !self.resolve_intent(scope, new.id.uuid(), &[ticket], became, begun).await;
                    }
                }
                return Ok(ScanOutcome { scan: recorded.scan, repeated: recorded.repeated, durable: true, degraded });
            }
            Ok(Err(fault @ Fault::Internal(_))) => return Err(fault.into()),
            Ok(Err(fault)) => fault,
            // Cold may still write it; warm's decision has the same identifier, so that does no harm.
            Err(late) => Fault::Ambiguous { dependency: Dependency::Cold, detail: late.to_string() },
        };
        tracing::warn!(%organization, event = %scope.event, %fault, slice = "scanning", "cold did not record a scan in time; warm decides");
        self.decide_in_warm(scope, new).await
    }

    async fn decide_in_warm(&self, scope: EventScope, new: NewScan) -> CommandResult<ScanOutcome> {
        let new = with_event_window(new);
        // A scan without a ticket is decided by its code; warm cannot store it without a ticket, so the device keeps its copy.
        if new.ticket.is_none() {
            let refusal = filter_refusal(GateFilter::Unseen, new.direction, new.early, new.forced);
            let result = refusal.map_or(ScanResult::Admitted, ScanResult::Refused);
            return Ok(offline_outcome(OfflineScan { scan: new, result, first: None, acknowledged: true }));
        }
        if !Deadline::after_capped(FLUSH_TIMEOUT).timeout(self.flush_pending(scope)).await.unwrap_or(false) {
            return Err(offline_rules());
        }
        let scan = new.id;
        let decided = async {
            let offline_scan = self.journal.decide_and_append(scope, new).await?;
            // A decision whose answer was lost must not count as acknowledged.
            self.journal.acknowledge(scope, scan).await?;
            Ok::<_, InventoryError>(offline_scan)
        };
        match decided.await {
            Ok(offline_scan) => Ok(offline_outcome(offline_scan)),
            Err(InventoryError::Refused(refusal)) => {
                Err(refusal.with(|evidence| evidence.retry_after = Some(RETRY_SECONDS)).into())
            }
            Err(error @ (InventoryError::Unloaded | InventoryError::Fault(_))) => {
                tracing::warn!(organization = %scope.organization, event = %scope.event, %error, slice = "scanning", "neither tier decided a scan; the device applies its offline rules");
                Err(offline_rules())
            }
        }
    }
}

/// Adds the event's widest window, because warm does not have the ticket's type. Cold checks the type's window when it records the scan.
fn with_event_window(new: NewScan) -> NewScan {
    let Some(widest) = new.admissions.as_ref().map(AdmissionWindows::widest).filter(|_| new.early.is_none()) else {
        return new;
    };
    NewScan { early: widest.refusal_reason(&new.time()), window: Some(widest), ..new }
}

fn offline_rules() -> CommandError {
    let detail = "The scan was not decided, because both stores are unavailable. Apply the offline rules, keep the scan, and send it again.";
    Refusal::new(Code::OfflineRules, detail).with(|evidence| evidence.retry_after = Some(RETRY_SECONDS)).into()
}

fn offline_outcome(OfflineScan { scan, result, first, acknowledged: _ }: OfflineScan) -> ScanOutcome {
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
    ScanOutcome { scan, repeated: true, durable: false, degraded: true }
}
