//! Wraps the two stores of a gate, so that a test can make each unavailable, lose its answers, or fail for one scan.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::scanning::ports::{
    Device, Gate, NewScan, OfflineScan, OfflineScanJournal, RecordedScan, Scan, ScanStore,
};
use voelgoed_app::ticketing::ports::{EventScope, GateFilter, InventoryResult};
use voelgoed_cold::Cold;
use voelgoed_domain::ids::{DeviceId, EventId, OrganizationId, ScanId, TicketId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;
use voelgoed_warm::memory::MemoryInventory;

/// The fault of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum StoreFault {
    /// The store answers.
    None,
    /// The store refuses every call.
    Unavailable,
    /// The store carries the next call out, loses its answer, and is unavailable from then on.
    LosesAnswer,
    /// The store never answers.
    Hangs,
}

/// A store that fails as the test says.
pub struct FaultyStore<S> {
    inner: Arc<S>,
    fault: AtomicU8,
    dependency: Dependency,
    /// Scans that the store cannot write.
    poisoned: Mutex<BTreeSet<ScanId>>,
    /// The scans that reached the store, in their order.
    recorded: Mutex<Vec<ScanId>>,
}

impl<S> FaultyStore<S> {
    pub fn new(inner: Arc<S>, dependency: Dependency) -> Self {
        Self {
            inner,
            fault: AtomicU8::new(StoreFault::None as u8),
            dependency,
            poisoned: Mutex::default(),
            recorded: Mutex::default(),
        }
    }

    pub fn poison(&self, scan: ScanId) {
        self.poisoned.lock().unwrap().insert(scan);
    }

    pub fn heal(&self) {
        self.poisoned.lock().unwrap().clear();
    }

    pub fn recorded(&self) -> Vec<ScanId> {
        self.recorded.lock().unwrap().clone()
    }

    pub fn set(&self, fault: StoreFault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    async fn call<T, E: From<Fault>>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let fault = self.fault.load(Ordering::SeqCst);
        if fault == StoreFault::Unavailable as u8 {
            return Err(Fault::unavailable(self.dependency, "no connection").into());
        }
        if fault == StoreFault::Hangs as u8 {
            return std::future::pending().await;
        }
        let answer = answer.await;
        if fault == StoreFault::LosesAnswer as u8 {
            self.set(StoreFault::Unavailable);
            return Err(Fault::Ambiguous { dependency: self.dependency, detail: "died".to_owned() }.into());
        }
        answer
    }
}

#[async_trait]
impl ScanStore for FaultyStore<Cold> {
    async fn create_gate(
        &self,
        organization: OrganizationId,
        gate: Gate,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.call(self.inner.create_gate(organization, gate, idempotency)).await
    }

    async fn gates(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Gate>> {
        self.call(self.inner.gates(organization, event)).await
    }

    async fn create_device(
        &self,
        organization: OrganizationId,
        device: Device,
        pairing: [u8; 32],
        pairing_ends: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.call(self.inner.create_device(organization, device, pairing, pairing_ends, idempotency)).await
    }

    async fn devices(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Device>> {
        self.call(self.inner.devices(organization, event)).await
    }

    async fn pair(&self, pairing: [u8; 32], key: [u8; 32], now: Timestamp) -> StoreResult<Result<Device, Refusal>> {
        self.call(self.inner.pair(pairing, key, now)).await
    }

    async fn device_by_key(&self, key: [u8; 32]) -> StoreResult<Option<Device>> {
        self.call(self.inner.device_by_key(key)).await
    }

    async fn revoke_device(&self, organization: OrganizationId, device: DeviceId, now: Timestamp) -> StoreResult<bool> {
        self.call(self.inner.revoke_device(organization, device, now)).await
    }

    async fn record_scan(&self, organization: OrganizationId, scan: NewScan) -> StoreResult<RecordedScan> {
        if self.poisoned.lock().unwrap().contains(&scan.id) {
            return Err(Fault::internal("this scan cannot be written"));
        }
        self.recorded.lock().unwrap().push(scan.id);
        self.call(self.inner.record_scan(organization, scan)).await
    }

    async fn tickets_of_types(
        &self,
        organization: OrganizationId,
        event: EventId,
        types: &[TicketTypeId],
        most: u32,
    ) -> StoreResult<Vec<(TicketTypeId, TicketId)>> {
        self.call(self.inner.tickets_of_types(organization, event, types, most)).await
    }

    async fn read_scan(&self, organization: OrganizationId, scan: ScanId) -> StoreResult<Option<Scan>> {
        self.call(self.inner.read_scan(organization, scan)).await
    }

    async fn scans(
        &self,
        organization: OrganizationId,
        event: EventId,
        conflicts_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<Scan>> {
        self.call(self.inner.scans(organization, event, conflicts_only, page)).await
    }
}

#[async_trait]
impl OfflineScanJournal for FaultyStore<MemoryInventory> {
    async fn decide_and_append(&self, scope: EventScope, scan: NewScan) -> InventoryResult<OfflineScan> {
        self.call(self.inner.decide_and_append(scope, scan)).await
    }

    async fn acknowledge(&self, scope: EventScope, scan: ScanId) -> InventoryResult<()> {
        self.call(self.inner.acknowledge(scope, scan)).await
    }

    async fn begin_intent(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        most: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        self.call(self.inner.begin_intent(scope, act, tickets, most)).await
    }

    async fn resolve_intent(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        became: GateFilter,
    ) -> InventoryResult<()> {
        self.call(self.inner.resolve_intent(scope, act, tickets, became)).await
    }

    async fn pending(
        &self,
        scope: EventScope,
        ticket: Option<TicketId>,
        after: Option<ScanId>,
        most: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        self.call(self.inner.pending(scope, ticket, after, most)).await
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        OfflineScanJournal::events(&*self.inner).await
    }

    async fn remove_recorded(&self, scope: EventScope, scans: &[ScanId]) -> InventoryResult<()> {
        self.call(self.inner.remove_recorded(scope, scans)).await
    }
}
