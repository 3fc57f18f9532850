//! What scanning needs: of the cold tier gates, devices, and the one commit that decides an entry; of the warm tier the scans that wait for cold.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::catalog::admission::{AdmissionWindow, Admissions};
use voelgoed_domain::ids::{AreaId, DeviceId, EventId, GateId, OrganizationId, ScanId, TicketId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::clock::{DeviceClock, ScanTime};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::idempotency::{Created, IdempotencyRecord};
use crate::page::{Page, PageRequest};
use crate::ticketing::ports::{Answer, EventScope, GateFilter};

/// Where scans happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its identifier.
    pub id: GateId,
    /// The event.
    pub event: EventId,
    /// What people call it.
    pub name: String,
    /// The areas it leads to; empty means all.
    pub areas: Vec<AreaId>,
}

/// A scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its identifier.
    pub id: DeviceId,
    /// The tenant.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
    /// What people call it.
    pub name: String,
    /// Where it may scan.
    pub gates: Vec<GateId>,
    /// When it was paired, if it was.
    pub paired_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// What became of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanResult {
    /// Let in (or out).
    Admitted,
    /// Not let in.
    Refused(ScanReason),
}

/// The entry that came before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstEntry {
    /// Where.
    pub gate: GateId,
    /// When the server, or the device where it was offline, let the person in.
    pub at: Timestamp,
}

/// A scan to write. The code's signature and event were checked before; `early` carries the reason where that already refused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewScan {
    /// The device's own identifier for it.
    pub id: ScanId,
    /// The event of the device.
    pub event: EventId,
    /// The ticket, where the code could be read.
    pub ticket: Option<TicketId>,
    /// Where.
    pub gate: Gate,
    /// By which device.
    pub device: DeviceId,
    /// In or out.
    pub direction: Direction,
    /// The device's clock: evidence, never deciding.
    pub scanned_at: Timestamp,
    /// The server's clock.
    pub received_at: Timestamp,
    /// The device had already let the person in.
    pub forced: bool,
    /// Refused before the store was asked.
    pub early: Option<ScanReason>,
    /// When it happened, as far as is known; none in what an older program has kept.
    #[serde(default)]
    pub time: Option<ScanTime>,
    /// The window by which `early` refuses.
    #[serde(default)]
    pub window: Option<AdmissionWindow>,
    /// The event's present windows; none where they cannot be read. They are read anew for a scan that was kept.
    #[serde(skip)]
    pub admissions: Option<Admissions>,
}

impl NewScan {
    /// When it happened, as far as is known.
    #[must_use]
    pub fn time(&self) -> ScanTime {
        self.time.unwrap_or(ScanTime::received(self.received_at))
    }
}

/// A scan as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The device's own identifier for it.
    pub id: ScanId,
    /// The event.
    pub event: EventId,
    /// The ticket, where the code could be read.
    pub ticket: Option<TicketId>,
    /// What a person calls the ticket's place.
    pub label: Option<String>,
    /// What a person calls its ticket type.
    pub ticket_type_name: Option<String>,
    /// Where.
    pub gate: GateId,
    /// By which device.
    pub device: DeviceId,
    /// In or out.
    pub direction: Direction,
    /// What became of it.
    pub result: ScanResult,
    /// The entry that came before, where that is why it was refused or is in conflict.
    pub first: Option<FirstEntry>,
    /// The device's clock.
    pub scanned_at: Timestamp,
    /// The server's clock.
    pub received_at: Timestamp,
    /// The device had already let the person in.
    pub forced: bool,
    /// True where it admitted although another entry stood: two people on one ticket.
    pub conflict: bool,
    /// Whether the device's clock was believed.
    pub clock: DeviceClock,
    /// When the ticket admits, where the scan was outside of that.
    pub window: Option<AdmissionWindow>,
}

/// The outcome of writing a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The scan as stored.
    pub scan: Scan,
    /// True where this id had been written before: the answer is the first one.
    pub repeated: bool,
}

/// Gates, devices and scans in the cold tier.
#[async_trait]
pub trait ScanStore: Send + Sync + 'static {
    /// Writes a gate.
    async fn create_gate(
        &self,
        organization: OrganizationId,
        gate: Gate,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// An event's gates.
    async fn gates(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Gate>>;

    /// Writes a device that waits for pairing. `pairing` is the SHA-256 of its one-time code.
    async fn create_device(
        &self,
        organization: OrganizationId,
        device: Device,
        pairing: [u8; 32],
        pairing_ends: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// An event's devices.
    async fn devices(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Device>>;

    /// Uses a pairing code up and stores the device key's SHA-256 (system role: the code names the tenant). Refused: `pairing_expired`.
    async fn pair(&self, pairing: [u8; 32], key: [u8; 32], now: Timestamp) -> StoreResult<Result<Device, Refusal>>;

    /// The device that has this key, revoked or not (system role: the key names the tenant).
    async fn device_by_key(&self, key: [u8; 32]) -> StoreResult<Option<Device>>;

    /// Revokes a device; false where there is none.
    async fn revoke_device(&self, organization: OrganizationId, device: DeviceId, now: Timestamp) -> StoreResult<bool>;

    /// Lets `domain::scanning::entry` decide and commits scan, entry, ticket state and outbox; through the committer. The same id answers the same.
    async fn record_scan(&self, organization: OrganizationId, scan: NewScan) -> StoreResult<Recorded>;

    /// Up to `most` tickets of some ticket types of an event, revoked ones left out.
    async fn tickets_of_types(
        &self,
        organization: OrganizationId,
        event: EventId,
        types: &[TicketTypeId],
        most: u32,
    ) -> StoreResult<Vec<(TicketTypeId, TicketId)>>;

    /// One scan.
    async fn read_scan(&self, organization: OrganizationId, scan: ScanId) -> StoreResult<Option<Scan>>;

    /// An event's scans.
    async fn scans(
        &self,
        organization: OrganizationId,
        event: EventId,
        conflicts_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<Scan>>;
}

/// A scan that the warm tier decided alone, until cold has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineScan {
    /// The scan.
    pub scan: NewScan,
    /// What became of it.
    pub result: ScanResult,
    /// The kept entry that came before, where that is why it was refused.
    pub first: Option<FirstEntry>,
    /// True once a node had this answer to pass on. A decision whose answer was lost may have let nobody in: then cold decides afresh.
    pub told: bool,
}

/// An event's scans that are kept at most; beyond it a scan is refused as `offline_rules`.
pub const MOST_KEPT: usize = 100_000;

/// Scans in the warm tier while cold is away (P3, P6). Each call is one atomic step in the event's slot.
#[async_trait]
pub trait OfflineScanJournal: Send + Sync + 'static {
    /// Decides by the gate's filter (`domain::scanning::entry::filter_refusal`), marks the
    /// ticket admitted where it is let in, and keeps the scan. The same id answers the same. A scan without a ticket is not for here.
    async fn keep(&self, scope: EventScope, scan: NewScan) -> Answer<OfflineScan>;

    /// Notes that the answer of [`Self::keep`] has arrived and is about to be passed on; nothing happens where the scan is not kept.
    async fn told(&self, scope: EventScope, scan: ScanId) -> Answer<()>;

    /// Notes that `act` (a scan, a refund) asks cold about these tickets, and returns what is kept of them, ticket by ticket, the oldest first, at most `most`.
    /// Until [`Self::answered`], a mark of the ticket or the act's settling, [`Self::keep`] lets nobody in on them for another act
    /// (`offline_rules`; see `domain::scanning::entry::rests_on_unseen`). Survives a rebuild. Harmless again.
    async fn announce(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        most: usize,
    ) -> Answer<Vec<OfflineScan>>;

    /// Cold has answered the act: its note goes, and the filter knows these tickets as `became` (`Unseen`: as before).
    async fn answered(&self, scope: EventScope, act: Uuid, tickets: &[TicketId], became: GateFilter) -> Answer<()>;

    /// What is kept, the oldest first: of one ticket, or of the event.
    async fn kept(&self, scope: EventScope, ticket: Option<TicketId>, most: usize) -> Answer<Vec<OfflineScan>>;

    /// Events of which scans may be kept; the others need not be asked.
    async fn events(&self) -> StoreResult<Vec<EventScope>>;

    /// Cold has these now; the tickets stay admitted.
    async fn settle(&self, scope: EventScope, scans: &[ScanId]) -> Answer<()>;
}
