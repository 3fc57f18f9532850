//! A warm tier that a test can cut off, and that loads a small hall when asked to.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Error, Fault, Result, StoreResult};
use voelgoed_app::ticketing::ports::{Answer, EventScope, InventoryError, InventoryStore, Lease, Moved};
use voelgoed_domain::ids::{AreaId, EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{AreaSpan, CatchUp, GateFilter, Install, InventorySnapshot};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, PlaceNumber, PlaceState, PlaceVersion, Position};
use voelgoed_warm::memory::MemoryInventory;

use crate::fanout::{Fanout, FanoutLimits, Loader};
use crate::testing::Clock;

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

/// A store that can be cut off, and that installs a small hall when asked to load.
pub(super) struct Warm {
    pub(super) store: MemoryInventory,
    pub(super) away: AtomicBool,
    epoch: AtomicU64,
}

impl Warm {
    pub(super) fn new(clock: &Arc<Clock>) -> Arc<Self> {
        let environment = Arc::clone(clock) as Arc<dyn Environment>;
        Arc::new(Self {
            store: MemoryInventory::new(environment),
            away: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
        })
    }

    pub(super) fn node(self: &Arc<Self>, clock: &Arc<Clock>) -> Fanout {
        let (store, loader) = (Arc::clone(self) as Arc<dyn InventoryStore>, Arc::clone(self) as Arc<dyn Loader>);
        Fanout::new(store, loader, Arc::clone(clock) as Arc<dyn Environment>, FanoutLimits::default())
    }

    pub(super) async fn take(&self, hold: u64, places: &[u32]) {
        let request = HoldRequest {
            of_version: 1,
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
impl Loader for Warm {
    async fn load(&self, scope: EventScope) -> Result<()> {
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
        self.store.install(scope, lease, install).await.map(drop).map_err(|error| Error::Fault(Fault::internal(error)))
    }
}

impl Warm {
    fn reached(&self) -> Answer<&MemoryInventory> {
        if self.away.load(Ordering::Relaxed) {
            return Err(InventoryError::Fault(Fault::away(Dependency::Warm, "cut off by the test")));
        }
        Ok(&self.store)
    }
}

#[async_trait]
impl InventoryStore for Warm {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<Lease> {
        self.store.lease_rebuild(scope, lease, lasts).await
    }
    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> Answer<Position> {
        self.reached()?.install(scope, lease, install).await
    }
    async fn hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        self.reached()?.hold(scope, request).await
    }
    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        self.reached()?.change_hold(scope, request).await
    }
    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        self.reached()?.read_hold(scope, hold).await
    }
    async fn release(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.reached()?.release(scope, hold).await
    }
    async fn pin(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        self.reached()?.pin(scope, hold).await
    }
    async fn unpin(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.reached()?.unpin(scope, hold).await
    }
    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> Answer<Position> {
        self.reached()?.apply(scope, claimed_by, effects).await
    }
    async fn snapshot(&self, scope: EventScope) -> Answer<InventorySnapshot> {
        self.reached()?.snapshot(scope).await
    }
    async fn changes_since(&self, scope: EventScope, since: Position) -> Answer<CatchUp> {
        self.reached()?.changes_since(scope, since).await
    }
    fn subscribe(&self) -> Receiver<Moved> {
        self.store.subscribe()
    }
    async fn sweep(&self, most: usize) -> StoreResult<usize> {
        self.store.sweep(most).await
    }
    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> Answer<GateFilter> {
        self.reached()?.gate_filter(scope, ticket).await
    }
    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> Answer<()> {
        self.reached()?.mark_admitted(scope, ticket).await
    }
    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> Answer<()> {
        self.reached()?.mark_revoked(scope, tickets).await
    }
    async fn loaded(&self) -> StoreResult<Vec<EventScope>> {
        self.store.loaded().await
    }
    async fn held_by(&self, scope: EventScope, session: SessionId) -> Answer<u32> {
        self.reached()?.held_by(scope, session).await
    }
    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        self.store.note_hold(session, scope, hold).await
    }
    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        self.store.noted_holds(session).await
    }
}
