//! Scans a ticket: verifies its code's signature without a store, then lets one tier decide once (P3, P6); see [`super::decide_scan`].
//!
//! A repeat with the same scan id gets the same result.

use std::time::Duration;

use voelgoed_domain::catalog::admission_window::AdmissionWindows;
use voelgoed_domain::ids::{GateId, ScanId, TicketId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::code::{TicketClaims, TicketKeys, scanned as code_of};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::scanning::scan_time::{ScanReceipt, ScanTime};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capability, Deadline};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::scanning::{scan_admitted, scan_conflict, scan_refused};

use super::Scanning;
use super::decide_scan::ScanOutcome;
use super::ports::{Device, Gate, NewScan, ScanResult};
use super::ticket_codes::signer;
use crate::error::{CommandResult, Fault};
use crate::tenant_bulkheads::WorkClass;
use crate::ticketing::ports::EventScope;

/// The limit of a scanned code; codes of tickets have a fixed length below it.
pub const SCANNED_CODE_BYTES_MAX: usize = 1024;

/// The time for the event's listing; people wait at the gate.
const LISTING_TIMEOUT: Duration = Duration::from_millis(500);

/// A scan that a device sends.
#[derive(Debug, Clone)]
pub struct ScanCommand {
    /// The scan's identifier, made by the device.
    pub id: ScanId,
    /// The scanned text.
    pub code: String,
    /// The gate.
    pub gate: GateId,
    /// Entry or exit.
    pub direction: Direction,
    /// The time by the device's clock, which decides nothing. None if it cannot be read; the time of receipt is stored then.
    pub scanned_at: Option<Timestamp>,
    /// True if the device had already admitted the person.
    pub forced: bool,
}

impl Scanning {
    /// Decides and records the scan.
    ///
    /// # Errors
    /// `invalid_request` (gate, code), `offline_rules`; the scan is not decided then.
    pub async fn scan(&self, device: &Device, command: ScanCommand) -> CommandResult<ScanOutcome> {
        let watch = Stopwatch::start();
        let decided = self.check_and_decide(device, command);
        let scanned = self.context.bulkheads.run(WorkClass::Scans, device.organization, decided).await?;
        let (event, durable) = (device.event.uuid(), scanned.durable);
        if !scanned.repeated {
            match scanned.scan.result {
                ScanResult::Admitted => scan_admitted(event, durable, watch.elapsed()),
                ScanResult::Refused(reason) => scan_refused(event, reason.as_str(), durable, watch.elapsed()),
            }
            if scanned.scan.conflict {
                scan_conflict();
            }
        }
        Ok(scanned)
    }

    async fn check_and_decide(&self, device: &Device, command: ScanCommand) -> CommandResult<ScanOutcome> {
        // Checked before the signature, which is expensive: without a tier that decides, the scan is refused anyway.
        self.context.require(Capability::Scan)?;
        let now = self.context.now();
        let gate = self.gate_of(device, command.gate).await?;
        if command.code.trim().len() > SCANNED_CODE_BYTES_MAX {
            return Err(Refusal::invalid("code", format!("At most {SCANNED_CODE_BYTES_MAX} bytes.")).into());
        }
        let claims = self.read_code(device, &code_of(&command.code))?;
        let ticket = claims.as_ref().ok().map(|claims| claims.ticket);
        let receipt = ScanReceipt {
            received_at: now,
            paired_at: device.paired_at,
            issued_at: ticket.and_then(TicketId::created_at),
        };
        let time = ScanTime::of(command.forced, command.scanned_at, receipt);
        let scope = EventScope { organization: device.organization, event: device.event };
        let admissions = self.admissions(scope).await;
        let (early, window) = match (claims, &admissions) {
            (Err(reason), _) => (Some(reason), None),
            (Ok(_), Some(_)) => (None, None),
            // The event's current window is unknown, so the signed window decides.
            (Ok(claims), None) => (claims.signed_window().refusal_reason(&time), Some(claims.signed_window())),
        };
        let new = NewScan {
            id: command.id,
            event: device.event,
            ticket,
            gate,
            device: device.id,
            direction: command.direction,
            scanned_at: command.scanned_at.unwrap_or(now),
            received_at: now,
            forced: command.forced,
            early,
            time: Some(time),
            window,
            admissions,
        };
        let requested = (new.event, new.ticket, new.gate.id, new.device, new.direction);
        let scanned = self.decide(device.organization, new).await?;
        let first = &scanned.scan;
        if scanned.repeated && (first.event, first.ticket, first.gate, first.device, first.direction) != requested {
            // Otherwise a reused identifier would return "admitted" for a ticket that was not checked.
            return Err(Refusal::new(Code::IdempotencyMismatch, "This scan identifier was used for another scan; nothing was decided. Send the scan with a new identifier.").into());
        }
        Ok(scanned)
    }

    /// The claims of a code that was signed for the device's event; otherwise the reason of the refusal.
    fn read_code(&self, device: &Device, code: &str) -> CommandResult<Result<TicketClaims, ScanReason>> {
        let signer = signer(&self.context.master, device.organization);
        let mut keys = TicketKeys::new();
        keys.add(signer.id(), &signer.public_key()).map_err(Fault::internal)?;
        let claims = keys.verify(code).and_then(|claims| claims.check_event(device.event).map(|()| claims));
        Ok(claims.map_err(|error| error.reason()))
    }

    /// The event's current admission windows from the cached listing; none if the listing cannot be read.
    pub(super) async fn admissions(&self, scope: EventScope) -> Option<AdmissionWindows> {
        let read = Deadline::after_capped(LISTING_TIMEOUT).timeout(self.listings.listing(scope)).await;
        read.ok()?.ok().map(|listing| listing.admissions())
    }

    async fn gate_of(&self, device: &Device, gate: GateId) -> CommandResult<Gate> {
        let gates = self.gates_of(device).await?;
        let found = gates.into_iter().find(|candidate| candidate.id == gate);
        found.ok_or_else(|| {
            Refusal::new(Code::InvalidRequest, "This device may not scan at that gate.")
                .with(|evidence| evidence.field = Some("gate".to_owned()))
                .into()
        })
    }
}
