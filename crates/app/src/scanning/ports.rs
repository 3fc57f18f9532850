//! Declares the store of gates, devices and scans, the journal of offline scans in warm, and the ports of other slices that scanning calls.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::catalog::admission_window::{AdmissionWindow, AdmissionWindows};
use voelgoed_domain::ids::{AreaId, DeviceId, EventId, GateId, OrganizationId, ScanId, TicketId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::scanning::scan_time::{DeviceClock, ScanTime};
use voelgoed_domain::time::Timestamp;

use crate::error::{CommandResult, StoreResult};
use crate::idempotency::{Created, IdempotencyRecord};
use crate::page::{Page, PageRequest};
use crate::ticketing::ports::{EventScope, GateFilter, InventoryResult};

/// A gate of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its identifier.
    pub id: GateId,
    /// The event.
    pub event: EventId,
    /// The displayed name.
    pub name: String,
    /// The areas behind the gate; empty means all areas.
    pub areas: Vec<AreaId>,
}

/// A scanning device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its identifier.
    pub id: DeviceId,
    /// The organization.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
    /// The displayed name.
    pub name: String,
    /// The gates where it may scan.
    pub gates: Vec<GateId>,
    /// The time of pairing; none before it.
    pub paired_at: Option<Timestamp>,
    /// The time of revocation; none for a valid device.
    pub revoked_at: Option<Timestamp>,
}

/// The result of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanResult {
    /// The person may pass.
    Admitted,
    /// The person may not pass.
    Refused(ScanReason),
}

/// The first entry of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstEntry {
    /// The gate.
    pub gate: GateId,
    /// The time of the admission by the server, or by the device if it was offline.
    pub at: Timestamp,
}

/// A scan to record. The code's signature and event are checked; `early` contains the reason if that check refused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewScan {
    /// The scan's identifier, made by the device.
    pub id: ScanId,
    /// The event of the device.
    pub event: EventId,
    /// The ticket, if the code could be read.
    pub ticket: Option<TicketId>,
    /// The gate.
    pub gate: Gate,
    /// The device.
    pub device: DeviceId,
    /// Entry or exit.
    pub direction: Direction,
    /// The time by the device's clock, which decides nothing.
    pub scanned_at: Timestamp,
    /// The time by the server's clock.
    pub received_at: Timestamp,
    /// True if the device had already admitted the person.
    pub forced: bool,
    /// The reason if the scan was refused before the store.
    pub early: Option<ScanReason>,
    /// The time of the scan as far as known; none in scans that older programs stored.
    #[serde(default)]
    pub time: Option<ScanTime>,
    /// The admission window by which `early` refuses.
    #[serde(default)]
    pub window: Option<AdmissionWindow>,
    /// The event's current windows, if they can be read; not stored, but read again for an offline scan.
    #[serde(skip)]
    pub admissions: Option<AdmissionWindows>,
}

impl NewScan {
    /// The time of the scan as far as known.
    #[must_use]
    pub fn time(&self) -> ScanTime {
        self.time.unwrap_or(ScanTime::received(self.received_at))
    }
}

/// A stored scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The scan's identifier, made by the device.
    pub id: ScanId,
    /// The event.
    pub event: EventId,
    /// The ticket, if the code could be read.
    pub ticket: Option<TicketId>,
    /// The displayed name of the ticket's place.
    pub label: Option<String>,
    /// The displayed name of its ticket type.
    pub ticket_type_name: Option<String>,
    /// The gate.
    pub gate: GateId,
    /// The device.
    pub device: DeviceId,
    /// Entry or exit.
    pub direction: Direction,
    /// The result.
    pub result: ScanResult,
    /// The first entry, if it is the reason of a refusal or conflict.
    pub first: Option<FirstEntry>,
    /// The time by the device's clock.
    pub scanned_at: Timestamp,
    /// The time by the server's clock.
    pub received_at: Timestamp,
    /// True if the device had already admitted the person.
    pub forced: bool,
    /// True if it admitted although the ticket had another entry: two people on one ticket.
    pub conflict: bool,
    /// Whether the device's clock was plausible.
    pub clock: DeviceClock,
    /// The admission window, if the scan was outside of it.
    pub window: Option<AdmissionWindow>,
}

/// The result of recording a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedScan {
    /// The stored scan.
    pub scan: Scan,
    /// True if this id was recorded before; the scan is the first one.
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

    /// Consumes a pairing code and stores the SHA-256 of the device key (system role: the code determines the organization). Refused: `pairing_expired`.
    async fn pair(&self, pairing: [u8; 32], key: [u8; 32], now: Timestamp) -> StoreResult<Result<Device, Refusal>>;

    /// The device with this key, revoked or not (system role: the key determines the organization).
    async fn device_by_key(&self, key: [u8; 32]) -> StoreResult<Option<Device>>;

    /// Revokes a device; false if there is none.
    async fn revoke_device(&self, organization: OrganizationId, device: DeviceId, now: Timestamp) -> StoreResult<bool>;

    /// Decides by `domain::scanning::entry` and commits scan, entry, ticket state and outbox row through the committer. A repeat of an id gets the same
    /// result.
    async fn record_scan(&self, organization: OrganizationId, scan: NewScan) -> StoreResult<RecordedScan>;

    /// At most `limit` tickets of some ticket types of an event, without revoked ones.
    async fn tickets_of_types(
        &self,
        organization: OrganizationId,
        event: EventId,
        types: &[TicketTypeId],
        limit: u32,
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

/// A scan that warm decided alone and cold has not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineScan {
    /// The scan.
    pub scan: NewScan,
    /// The result.
    pub result: ScanResult,
    /// The first entry, if it is the reason of the refusal.
    pub first: Option<FirstEntry>,
    /// True once a node has received the result. Cold decides again if it is false, because a lost result may not have admitted the person.
    #[serde(rename = "told")]
    pub acknowledged: bool,
}

/// Scans of one event in the journal; further scans are refused as `offline_rules`.
pub const OFFLINE_SCANS_PER_EVENT_MAX: usize = 100_000;

/// Scans that the warm tier decides while cold is unavailable (P3, P6). Each call is one atomic step in the event's slot.
#[async_trait]
pub trait OfflineScanJournal: Send + Sync + 'static {
    /// Decides by the gate's filter (`domain::scanning::entry::filter_refusal`), marks an admitted ticket, and stores the scan. A repeat of an id gets the
    /// same result. The scan must have a ticket.
    async fn decide_and_append(&self, scope: EventScope, scan: NewScan) -> InventoryResult<OfflineScan>;

    /// Marks that a node received the result of [`Self::decide_and_append`] and is about to reply; does nothing if the scan is not stored.
    async fn acknowledge(&self, scope: EventScope, scan: ScanId) -> InventoryResult<()>;

    /// Stores the intent of `act` (a scan, a refund) to change these tickets in cold. Returns at most `limit` stored scans of the tickets, oldest first.
    ///
    /// Until [`Self::resolve_intent`] or a mark of the ticket, [`Self::decide_and_append`] admits these tickets for no other act (`offline_rules`; see
    /// `domain::scanning::entry::relies_on_unseen`). The intent survives a rebuild. Idempotent.
    async fn begin_intent(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        limit: usize,
    ) -> InventoryResult<Vec<OfflineScan>>;

    /// Removes the intent of an act that cold has decided, and sets the tickets in the filter to `became` (`Unseen`: unchanged).
    async fn resolve_intent(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        became: GateFilter,
    ) -> InventoryResult<()>;

    /// At most `limit` stored scans of one ticket or of the event, oldest first. With `after` only scans behind that scan of the event, or all if it is no
    /// longer stored.
    async fn pending(
        &self,
        scope: EventScope,
        ticket: Option<TicketId>,
        after: Option<ScanId>,
        limit: usize,
    ) -> InventoryResult<Vec<OfflineScan>>;

    /// Events that may have stored scans; all other events have none.
    async fn events(&self) -> StoreResult<Vec<EventScope>>;

    /// Removes scans that cold has recorded; their tickets stay admitted.
    async fn remove_recorded(&self, scope: EventScope, scans: &[ScanId]) -> InventoryResult<()>;
}

/// The tickets of an event that offline packages list; ticketing's cold store implements it.
#[async_trait]
pub trait GateTickets: Send + Sync + 'static {
    /// The revoked tickets and the admitted tickets.
    async fn revoked_and_admitted(&self, scope: EventScope) -> StoreResult<(Vec<TicketId>, Vec<TicketId>)>;
}

/// The gates of events and the keys of devices, cached on this node; the cache of credentials implements it.
#[async_trait]
pub trait GateDirectory: Send + Sync + 'static {
    /// The gates of an event.
    async fn gates(&self, scope: EventScope) -> CommandResult<Arc<Vec<Gate>>>;
    /// Drops a device key, which is read again at its next use.
    fn invalidate_key(&self, key: [u8; 32]);
}
