//! Test double of the warm tier: makes every call fail while a test says so, and loads a small hall on demand.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{CommandError, CommandResult, Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::{
    EventScope, InventoryError, InventoryResult, InventorySignal, InventoryStore, RebuildLease,
};
use voelgoed_domain::ids::{AreaId, EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{AreaSpan, CatchUp, GateFilter, Install, InventorySnapshot};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, PlaceState, PlaceVersion, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_warm::memory::MemoryInventory;

use crate::fanout::{Fanout, FanoutLimits, LoadEvent};
use crate::manual_clock::ManualClock;

pub(super) const SEATS: Range<u32> = 0..40;
pub(super) const FLOOR: Range<u32> = 40..100;

pub(super) fn scope() -> EventScope {
    EventScope {
        organization: OrganizationId::from_uuid(Uuid::from_u128(1)),
        event: EventId::from_uuid(Uuid::from_u128(2)),
    }
}

pub(super) fn hold_id(number: u64) -> HoldId {
    HoldId::from_uuid(Uuid::from_u128(u128::from(number)))
}

/// A warm tier whose calls fail while `is_down` is set.
pub(super) struct InterruptibleWarm {
    pub(super) store: MemoryInventory,
    pub(super) is_down: AtomicBool,
    epoch: AtomicU64,
}

impl InterruptibleWarm {
    pub(super) fn new(clock: &Arc<ManualClock>) -> Arc<Self> {
        let environment = Arc::clone(clock) as Arc<dyn Environment>;
        Arc::new(Self {
            store: MemoryInventory::new(environment),
            is_down: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
        })
    }

    pub(super) fn node(self: &Arc<Self>, clock: &Arc<ManualClock>) -> Fanout {
        let (store, loader) = (Arc::clone(self) as Arc<dyn InventoryStore>, Arc::clone(self) as Arc<dyn LoadEvent>);
        Fanout::new(store, loader, Arc::clone(clock) as Arc<dyn Environment>, FanoutLimits::default())
    }

    pub(super) async fn take(&self, hold: u64, places: &[u32]) {
        let request = HoldRequest {
            expected_version: 1,
            address: None,
            places_per_address: u32::MAX,
            hold: hold_id(hold),
            session: SessionId::from_uuid(Uuid::from_u128(u128::from(hold))),
            picks: places.iter().map(|place| Pick::Place(PlaceNumber(*place))).collect(),
            terms: String::new(),
            lasts_millis: 600_000,
            places_per_session: 100,
        };
        self.store.hold(scope(), request).await.unwrap();
    }

    pub(super) async fn free(&self, hold: u64) {
        self.store.release(scope(), hold_id(hold)).await.unwrap();
    }

    pub(super) async fn decide(&self, place: u32, state: PlaceState, version: u32) {
        let effect = PlaceEffect { place: PlaceNumber(place), state, owner: None, version: PlaceVersion(version) };
        self.store.apply(scope(), None, &[effect]).await.unwrap();
    }
}

#[async_trait]
impl LoadEvent for InterruptibleWarm {
    async fn load(&self, scope: EventScope) -> CommandResult<()> {
        let span = |id, places, seated| AreaSpan { area: AreaId::from_uuid(Uuid::from_u128(id)), places, seated };
        let install = Install {
            epoch: Epoch(self.epoch.fetch_add(1, Ordering::Relaxed) + 1),
            areas: vec![span(1, SEATS, true), span(2, FLOOR, false)],
            places: vec![],
            revoked: vec![],
            admitted: vec![],
        };
        let lease = Uuid::from_u128(1);
        let _ = self.store.lease_rebuild(scope, lease, Duration::from_secs(1)).await?;
        self.store
            .install(scope, lease, install)
            .await
            .map(drop)
            .map_err(|error| CommandError::Fault(Fault::internal(error)))
    }
}

impl InterruptibleWarm {
    fn reached(&self) -> InventoryResult<&MemoryInventory> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(InventoryError::Fault(Fault::unavailable(Dependency::Warm, "stopped by the test")));
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl InventoryStore for InterruptibleWarm {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<RebuildLease> {
        self.store.lease_rebuild(scope, lease, lasts).await
    }
    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> InventoryResult<Position> {
        self.reached()?.install(scope, lease, install).await
    }
    async fn hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        self.reached()?.hold(scope, request).await
    }
    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        self.reached()?.change_hold(scope, request).await
    }
    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        self.reached()?.read_hold(scope, hold).await
    }
    async fn release(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.reached()?.release(scope, hold).await
    }
    async fn pin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        self.reached()?.pin(scope, hold).await
    }
    async fn unpin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.reached()?.unpin(scope, hold).await
    }
    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> InventoryResult<Position> {
        self.reached()?.apply(scope, claimed_by, effects).await
    }
    async fn snapshot(&self, scope: EventScope) -> InventoryResult<InventorySnapshot> {
        self.reached()?.snapshot(scope).await
    }
    async fn changes_since(&self, scope: EventScope, since: Position) -> InventoryResult<CatchUp> {
        self.reached()?.changes_since(scope, since).await
    }
    fn subscribe(&self) -> Receiver<InventorySignal> {
        self.store.subscribe()
    }
    async fn free_expired_holds(&self, holds_max: usize) -> StoreResult<usize> {
        self.store.free_expired_holds(holds_max).await
    }
    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<GateFilter> {
        self.reached()?.gate_filter(scope, ticket).await
    }
    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<()> {
        self.reached()?.mark_admitted(scope, ticket).await
    }
    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> InventoryResult<()> {
        self.reached()?.mark_revoked(scope, tickets).await
    }
    async fn loaded_events(&self) -> StoreResult<Vec<EventScope>> {
        self.store.loaded_events().await
    }
    async fn held_by(&self, scope: EventScope, session: SessionId) -> InventoryResult<u32> {
        self.reached()?.held_by(scope, session).await
    }
    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        self.store.note_hold(session, scope, hold).await
    }
    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        self.store.noted_holds(session).await
    }
}
