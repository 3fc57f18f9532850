//! Wraps every port of a remote warm store in guards: deadline, bulkhead, breaker and the only retry (P9), reporting the store's health (P10).
//!
//! Never: a second retry below this layer. Most calls are idempotent, because holds have ids, effects have versions and installs have epochs. A change of
//! a hold, counts and allowances are not: they are repeated only if the first attempt was not sent. To add a method of a port: one line below.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, StepCountEntry, StepCounts};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::scanning::ports::{NewScan, OfflineScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{
    CatchUp, EventScope, GateFilter, Install, InventoryError, InventoryResult, InventorySignal, InventorySnapshot,
    InventoryStore, RebuildLease,
};
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, ScanId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{CallFailure, Capabilities, Guard, GuardError, RateLimit, RetrySafety, SpendOutcome};

mod cluster_bus;
mod limits;

pub use cluster_bus::GuardedClusterBus;
pub use limits::{ALLOWANCES_LIMIT, CLUSTER_BUS_LIMIT, COMMAND_LIMIT, LONG_LIMIT};

/// A remote warm store behind its guards.
pub struct GuardedWarm {
    inner: Arc<dyn WarmPorts>,
    guard: Guard,
    long_guard: Guard,
    allowances_guard: Guard,
}

/// All ports of the warm tier on one store.
pub trait WarmPorts: InventoryStore + OfflineScanJournal + Presence + CountStream + Allowances {}

impl<S: InventoryStore + OfflineScanJournal + Presence + CountStream + Allowances> WarmPorts for S {}

impl GuardedWarm {
    /// Wraps `inner`; the guard reports into `capabilities`, and `seed` makes the jitter of this process differ from other processes.
    #[must_use]
    pub fn new(inner: Arc<dyn WarmPorts>, capabilities: Capabilities, seed: u64) -> Self {
        let guard = Guard::new(COMMAND_LIMIT, seed).reporting(capabilities, Dependency::Warm);
        Self {
            inner,
            guard,
            long_guard: Guard::new(LONG_LIMIT, seed),
            allowances_guard: Guard::new(ALLOWANCES_LIMIT, seed),
        }
    }

    /// Makes a call that reads and changes nothing, as a health probe.
    ///
    /// # Errors
    /// The fault, if the store does not reply.
    pub async fn ping(&self) -> StoreResult<()> {
        let no_event =
            EventScope { organization: OrganizationId::from_uuid(Uuid::nil()), event: EventId::from_uuid(Uuid::nil()) };
        match self.gate_filter(no_event, TicketId::from_uuid(Uuid::nil())).await {
            Err(InventoryError::Fault(fault)) => Err(fault),
            Ok(_) | Err(InventoryError::Unloaded | InventoryError::Refused(_)) => Ok(()),
        }
    }

    async fn call<T, Fut>(&self, attempt: impl FnMut() -> Fut) -> InventoryResult<T>
    where
        Fut: Future<Output = InventoryResult<T>>,
    {
        call_inventory(&self.guard, attempt).await
    }
}

async fn call_inventory<T, Fut>(guard: &Guard, attempt: impl FnMut() -> Fut) -> InventoryResult<T>
where
    Fut: Future<Output = InventoryResult<T>>,
{
    guard.call(RetrySafety::Idempotent, attempt, classify).await.map_err(inventory_error)
}

async fn call_store<T, Fut>(guard: &Guard, attempt: impl FnMut() -> Fut) -> StoreResult<T>
where
    Fut: Future<Output = StoreResult<T>>,
{
    guard.call(RetrySafety::Idempotent, attempt, classify_fault).await.map_err(store_fault)
}

fn classify(error: &InventoryError) -> CallFailure {
    match error {
        InventoryError::Unloaded | InventoryError::Refused(_) => CallFailure::Rejected,
        InventoryError::Fault(fault) => classify_fault(fault),
    }
}

const fn classify_fault(fault: &Fault) -> CallFailure {
    match fault {
        Fault::Unavailable { .. } => CallFailure::NotSent,
        Fault::Ambiguous { .. } => CallFailure::Ambiguous,
        Fault::Internal(_) => CallFailure::Rejected,
    }
}

/// The store's own error, or the fault of the layer that ended the call.
fn inventory_error(error: GuardError<InventoryError>) -> InventoryError {
    match error {
        GuardError::Failed { error, .. } => error,
        other => InventoryError::Fault(fault(&other)),
    }
}

/// The same for calls that cannot be refused.
fn store_fault(error: GuardError<Fault>) -> Fault {
    match error {
        GuardError::Failed { error, .. } => error,
        other => fault(&other),
    }
}

fn fault<E: std::fmt::Display>(error: &GuardError<E>) -> Fault {
    if error.is_ambiguous() {
        return Fault::Ambiguous { dependency: Dependency::Warm, detail: error.to_string() };
    }
    Fault::unavailable(Dependency::Warm, error)
}

#[async_trait]
impl InventoryStore for GuardedWarm {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<RebuildLease> {
        call_store(&self.guard, || self.inner.lease_rebuild(scope, lease, lasts)).await
    }

    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> InventoryResult<Position> {
        call_inventory(&self.long_guard, || self.inner.install(scope, lease, install.clone())).await
    }

    async fn hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        self.call(|| self.inner.hold(scope, request.clone())).await
    }

    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        // Not idempotent: a repeat of a change that was done would be refused as `hold_changed`.
        let attempt = || self.inner.change_hold(scope, request.clone());
        self.guard.call(RetrySafety::OnlyIfUnsent, attempt, classify).await.map_err(inventory_error)
    }

    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        self.call(|| self.inner.read_hold(scope, hold)).await
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.call(|| self.inner.release(scope, hold)).await
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        self.call(|| self.inner.pin(scope, hold)).await
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.call(|| self.inner.unpin(scope, hold)).await
    }

    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> InventoryResult<Position> {
        self.call(|| self.inner.apply(scope, claimed_by, effects)).await
    }

    async fn snapshot(&self, scope: EventScope) -> InventoryResult<InventorySnapshot> {
        self.call(|| self.inner.snapshot(scope)).await
    }

    async fn changes_since(&self, scope: EventScope, since: Position) -> InventoryResult<CatchUp> {
        self.call(|| self.inner.changes_since(scope, since)).await
    }

    fn subscribe(&self) -> broadcast::Receiver<InventorySignal> {
        self.inner.subscribe()
    }

    async fn free_expired_holds(&self, holds_max: usize) -> StoreResult<usize> {
        call_store(&self.long_guard, || self.inner.free_expired_holds(holds_max)).await
    }

    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<GateFilter> {
        self.call(|| self.inner.gate_filter(scope, ticket)).await
    }

    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<()> {
        self.call(|| self.inner.mark_admitted(scope, ticket)).await
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> InventoryResult<()> {
        self.call(|| self.inner.mark_revoked(scope, tickets)).await
    }

    async fn loaded_events(&self) -> StoreResult<Vec<EventScope>> {
        call_store(&self.long_guard, || self.inner.loaded_events()).await
    }

    async fn held_by(&self, scope: EventScope, session: SessionId) -> InventoryResult<u32> {
        self.call(|| self.inner.held_by(scope, session)).await
    }

    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        // Only the session's page uses this entry, so the short limits of allowances apply.
        let attempt = || self.inner.note_hold(session, scope, hold);
        self.allowances_guard.call(RetrySafety::OnlyIfUnsent, attempt, classify_fault).await.map_err(store_fault)
    }

    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        let attempt = || self.inner.noted_holds(session);
        self.allowances_guard.call(RetrySafety::OnlyIfUnsent, attempt, classify_fault).await.map_err(store_fault)
    }
}

#[async_trait]
impl OfflineScanJournal for GuardedWarm {
    async fn decide_and_append(&self, scope: EventScope, scan: NewScan) -> InventoryResult<OfflineScan> {
        self.call(|| self.inner.decide_and_append(scope, scan.clone())).await
    }

    async fn acknowledge(&self, scope: EventScope, scan: ScanId) -> InventoryResult<()> {
        self.call(|| self.inner.acknowledge(scope, scan)).await
    }

    async fn begin_intent(
        &self,
        scope: EventScope,
        intent: Uuid,
        tickets: &[TicketId],
        scans_max: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        self.call(|| self.inner.begin_intent(scope, intent, tickets, scans_max)).await
    }

    async fn resolve_intent(
        &self,
        scope: EventScope,
        intent: Uuid,
        tickets: &[TicketId],
        resolved_as: GateFilter,
    ) -> InventoryResult<()> {
        self.call(|| self.inner.resolve_intent(scope, intent, tickets, resolved_as)).await
    }

    async fn pending(
        &self,
        scope: EventScope,
        ticket: Option<TicketId>,
        after: Option<ScanId>,
        scans_max: usize,
    ) -> InventoryResult<Vec<OfflineScan>> {
        self.call(|| self.inner.pending(scope, ticket, after, scans_max)).await
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        call_store(&self.long_guard, || OfflineScanJournal::events(&*self.inner)).await
    }

    async fn remove_recorded(&self, scope: EventScope, scans: &[ScanId]) -> InventoryResult<()> {
        self.call(|| self.inner.remove_recorded(scope, scans)).await
    }
}

#[async_trait]
impl Presence for GuardedWarm {
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, lasts: Duration) -> StoreResult<u64> {
        call_store(&self.guard, || self.inner.report(scope, node, viewers, lasts)).await
    }
}

#[async_trait]
impl Allowances for GuardedWarm {
    async fn spend(&self, limit: RateLimit, caller: &Caller, units_max: u32) -> StoreResult<SpendOutcome> {
        let attempt = || self.inner.spend(limit, caller, units_max);
        self.allowances_guard.call(RetrySafety::OnlyIfUnsent, attempt, classify_fault).await.map_err(store_fault)
    }
}

#[async_trait]
impl CountStream for GuardedWarm {
    async fn append_counts(&self, scope: EventScope, minute: Timestamp, counts: StepCounts) -> StoreResult<()> {
        // Not idempotent: an entry that was written would count twice.
        let attempt = || self.inner.append_counts(scope, minute, counts);
        self.long_guard.call(RetrySafety::OnlyIfUnsent, attempt, classify_fault).await.map_err(store_fault)
    }

    async fn take(
        &self,
        scope: EventScope,
        reader: Uuid,
        entries_max: usize,
        idle: Duration,
    ) -> StoreResult<Vec<StepCountEntry>> {
        call_store(&self.long_guard, || self.inner.take(scope, reader, entries_max, idle)).await
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        call_store(&self.long_guard, || CountStream::events(&*self.inner)).await
    }

    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64> {
        call_store(&self.long_guard, || self.inner.finish(scope, ids)).await
    }
}
