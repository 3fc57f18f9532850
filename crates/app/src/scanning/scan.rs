//! A ticket at the gate: its signature is checked without any store, then one tier decides, once (P3, P6); see [`super::decide`].
//!
//! The same scan id answers the same.

use std::time::Duration;

use voelgoed_domain::catalog::admission::Admissions;
use voelgoed_domain::ids::{GateId, ScanId, TicketId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::clock::{Receipt, ScanTime};
use voelgoed_domain::scanning::code::{TicketClaims, TicketKeys, scanned as code_of};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capability, Deadline};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::scanning::{scan_admitted, scan_conflict, scan_refused};

use super::codes::signer;
use super::decide::{Scanned, decide};
use super::pair_device::gates_of;
use super::ports::{Device, Gate, NewScan, ScanResult};
use crate::error::{Fault, Result};
use crate::platform::Platform;
use crate::tenant_bulkheads::WorkClass;
use crate::ticketing::ports::EventScope;

/// The longest code that is looked at, in bytes; ours have a fixed length below it.
pub const LONGEST_CODE: usize = 1024;

/// The listing is waited for so long; people stand at the gate.
const LISTING_TIMEOUT: Duration = Duration::from_millis(500);

/// A scan as a device sends it.
#[derive(Debug, Clone)]
pub struct ScanCommand {
    /// The device's own identifier for it.
    pub id: ScanId,
    /// What was read.
    pub code: String,
    /// Where.
    pub gate: GateId,
    /// In or out.
    pub direction: Direction,
    /// The device's clock: evidence, never deciding. None where it cannot be read, which is as good as an impossible one; the receipt is stored then.
    pub scanned_at: Option<Timestamp>,
    /// The device had already let the person in.
    pub forced: bool,
}

/// Decides and writes the scan.
///
/// # Errors
/// `invalid_request` (gate, code), `offline_rules`: nothing was decided then.
pub async fn scan(platform: &Platform, device: &Device, command: ScanCommand) -> Result<Scanned> {
    let watch = Stopwatch::start();
    let decided = check_and_decide(platform, device, command);
    let scanned = platform.shares.within(WorkClass::Scans, device.organization, decided).await?;
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

async fn check_and_decide(platform: &Platform, device: &Device, command: ScanCommand) -> Result<Scanned> {
    // Before the signature, which is dear: where neither tier decides, nothing of the scan matters.
    platform.capable(Capability::Scan)?;
    let now = platform.environment.now();
    let gate = gate_of(platform, device, command.gate).await?;
    if command.code.trim().len() > LONGEST_CODE {
        return Err(Refusal::invalid("code", format!("At most {LONGEST_CODE} bytes.")).into());
    }
    let claims = read_code(platform, device, &code_of(&command.code))?;
    let ticket = claims.as_ref().ok().map(|claims| claims.ticket);
    let receipt =
        Receipt { received_at: now, paired_at: device.paired_at, issued_at: ticket.and_then(TicketId::made_at) };
    let time = ScanTime::of(command.forced, command.scanned_at, receipt);
    let scope = EventScope { organization: device.organization, event: device.event };
    let admissions = admissions(platform, scope).await;
    let (early, window) = match (claims, &admissions) {
        (Err(reason), _) => (Some(reason), None),
        (Ok(_), Some(_)) => (None, None),
        // Nobody can say what the event's window is now: what was signed decides.
        (Ok(claims), None) => (claims.signed_window().objection(&time), Some(claims.signed_window())),
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
    let said = (new.event, new.ticket, new.gate.id, new.device, new.direction);
    let scanned = decide(platform, device.organization, new).await?;
    let first = &scanned.scan;
    if scanned.repeated && (first.event, first.ticket, first.gate, first.device, first.direction) != said {
        // Else whoever repeats an identifier would be told "admitted" for a ticket that was never looked at.
        return Err(Refusal::new(Code::IdempotencyMismatch, "This identifier was used for another scan.").into());
    }
    Ok(scanned)
}

/// What a code says, where it is one of the event's; else why it does not admit.
fn read_code(
    platform: &Platform,
    device: &Device,
    code: &str,
) -> Result<std::result::Result<TicketClaims, ScanReason>> {
    let signer = signer(&platform.master, device.organization);
    let mut keys = TicketKeys::new();
    keys.add(signer.id(), &signer.public_key()).map_err(Fault::internal)?;
    let claims = keys.verify(code).and_then(|claims| claims.check_event(device.event).map(|()| claims));
    Ok(claims.map_err(|error| error.reason()))
}

/// The event's present windows, from this node's listing; none where that cannot be read.
pub(super) async fn admissions(platform: &Platform, scope: EventScope) -> Option<Admissions> {
    let read = Deadline::within(LISTING_TIMEOUT).wrap(platform.listings.listing(scope)).await;
    read.ok()?.ok().map(|listing| listing.admissions())
}

async fn gate_of(platform: &Platform, device: &Device, gate: GateId) -> Result<Gate> {
    let gates = gates_of(platform, device).await?;
    let found = gates.into_iter().find(|candidate| candidate.id == gate);
    found.ok_or_else(|| {
        Refusal::new(Code::InvalidRequest, "This device does not stand at that gate.")
            .with(|evidence| evidence.field = Some("gate".to_owned()))
            .into()
    })
}
