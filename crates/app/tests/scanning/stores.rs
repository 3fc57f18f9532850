//! The two stores of a gate, each of which a test can take away, or make lose its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::scanning::ports::{
    Device, Gate, NewScan, OfflineScan, OfflineScanJournal, Recorded, Scan, ScanStore,
};
use voelgoed_app::ticketing::ports::{Answer, EventScope, GateFilter};
use voelgoed_cold::Cold;
use voelgoed_domain::ids::{DeviceId, EventId, OrganizationId, ScanId, TicketId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;
use voelgoed_warm::memory::MemoryInventory;

/// How a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Is {
    /// It answers.
    Up,
    /// It does nothing and says so.
    Away,
    /// It does what it is asked to, and goes away before it answers.
    Dying,
}

/// A store that fails as it is told.
pub struct Failing<S> {
    inner: Arc<S>,
    is: AtomicU8,
    dependency: Dependency,
}

impl<S> Failing<S> {
    pub fn new(inner: Arc<S>, dependency: Dependency) -> Self {
        Self { inner, is: AtomicU8::new(Is::Up as u8), dependency }
    }

    pub fn set(&self, is: Is) {
        self.is.store(is as u8, Ordering::SeqCst);
    }

    async fn ask<T, E: From<Fault>>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let is = self.is.load(Ordering::SeqCst);
        if is == Is::Away as u8 {
            return Err(Fault::away(self.dependency, "taken away").into());
        }
        let answer = answer.await;
        if is == Is::Dying as u8 {
            self.set(Is::Away);
            return Err(Fault::Ambiguous { dependency: self.dependency, detail: "died".to_owned() }.into());
        }
        answer
    }
}

#[async_trait]
impl ScanStore for Failing<Cold> {
    async fn create_gate(
        &self,
        organization: OrganizationId,
        gate: Gate,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.ask(self.inner.create_gate(organization, gate, idempotency)).await
    }

    async fn gates(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Gate>> {
        self.ask(self.inner.gates(organization, event)).await
    }

    async fn create_device(
        &self,
        organization: OrganizationId,
        device: Device,
        pairing: [u8; 32],
        pairing_ends: Timestamp,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        self.ask(self.inner.create_device(organization, device, pairing, pairing_ends, idempotency)).await
    }

    async fn devices(&self, organization: OrganizationId, event: EventId) -> StoreResult<Vec<Device>> {
        self.ask(self.inner.devices(organization, event)).await
    }

    async fn pair(&self, pairing: [u8; 32], key: [u8; 32], now: Timestamp) -> StoreResult<Result<Device, Refusal>> {
        self.ask(self.inner.pair(pairing, key, now)).await
    }

    async fn device_by_key(&self, key: [u8; 32]) -> StoreResult<Option<Device>> {
        self.ask(self.inner.device_by_key(key)).await
    }

    async fn revoke_device(&self, organization: OrganizationId, device: DeviceId, now: Timestamp) -> StoreResult<bool> {
        self.ask(self.inner.revoke_device(organization, device, now)).await
    }

    async fn record_scan(&self, organization: OrganizationId, scan: NewScan) -> StoreResult<Recorded> {
        self.ask(self.inner.record_scan(organization, scan)).await
    }

    async fn tickets_of_types(
        &self,
        organization: OrganizationId,
        event: EventId,
        types: &[TicketTypeId],
        most: u32,
    ) -> StoreResult<Vec<(TicketTypeId, TicketId)>> {
        self.ask(self.inner.tickets_of_types(organization, event, types, most)).await
    }

    async fn read_scan(&self, organization: OrganizationId, scan: ScanId) -> StoreResult<Option<Scan>> {
        self.ask(self.inner.read_scan(organization, scan)).await
    }

    async fn scans(
        &self,
        organization: OrganizationId,
        event: EventId,
        conflicts_only: bool,
        page: PageRequest,
    ) -> StoreResult<Page<Scan>> {
        self.ask(self.inner.scans(organization, event, conflicts_only, page)).await
    }
}

#[async_trait]
impl OfflineScanJournal for Failing<MemoryInventory> {
    async fn keep(&self, scope: EventScope, scan: NewScan) -> Answer<OfflineScan> {
        self.ask(self.inner.keep(scope, scan)).await
    }

    async fn told(&self, scope: EventScope, scan: ScanId) -> Answer<()> {
        self.ask(self.inner.told(scope, scan)).await
    }

    async fn announce(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        most: usize,
    ) -> Answer<Vec<OfflineScan>> {
        self.ask(self.inner.announce(scope, act, tickets, most)).await
    }

    async fn answered(&self, scope: EventScope, act: Uuid, tickets: &[TicketId], became: GateFilter) -> Answer<()> {
        self.ask(self.inner.answered(scope, act, tickets, became)).await
    }

    async fn kept(&self, scope: EventScope, ticket: Option<TicketId>, most: usize) -> Answer<Vec<OfflineScan>> {
        self.ask(self.inner.kept(scope, ticket, most)).await
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        OfflineScanJournal::events(&*self.inner).await
    }

    async fn settle(&self, scope: EventScope, scans: &[ScanId]) -> Answer<()> {
        self.ask(self.inner.settle(scope, scans)).await
    }
}
