//! Implements the inventory port: each method runs one step of the event's inventory.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_app::ticketing::ports::{EventScope, InventoryResult, InventorySignal, InventoryStore, RebuildLease};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{CatchUp, GateFilter, Install, InventorySnapshot};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{warm_call, warm_rebuilt};

use super::MemoryInventory;
use super::store::end_of;

#[async_trait]
impl InventoryStore for MemoryInventory {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<RebuildLease> {
        let now = self.environment.now();
        let mut held = self.leases.entry(scope).or_insert((lease, now));
        if held.0 != lease && held.1 > now {
            return Ok(RebuildLease::Taken { free_in: held.1.since(now) });
        }
        *held = (lease, now.plus(lasts));
        Ok(RebuildLease::Granted)
    }

    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> InventoryResult<Position> {
        let stopwatch = Stopwatch::start();
        let result = self.install_now(scope, lease, install);
        warm_call("install", end_of(&result), stopwatch.elapsed());
        if result.is_ok() {
            warm_rebuilt();
        }
        result
    }

    async fn hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        self.step("hold", scope, |inventory, now| inventory.hold(request, now))
    }

    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> InventoryResult<HoldRecord> {
        self.step("change_hold", scope, |inventory, now| inventory.change_hold(request, now))
    }

    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        self.step("read_hold", scope, |inventory, now| inventory.read_hold(hold, now))
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.step("release", scope, |inventory, now| inventory.release(hold, now))
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<HoldRecord> {
        self.step("pin", scope, |inventory, now| inventory.pin(hold, now))
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> InventoryResult<()> {
        self.step("unpin", scope, |inventory, now| {
            inventory.unpin(hold, now);
            Ok(())
        })
    }

    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> InventoryResult<Position> {
        self.step("apply", scope, |inventory, now| Ok(inventory.apply(claimed_by, effects, now)))
    }

    async fn snapshot(&self, scope: EventScope) -> InventoryResult<InventorySnapshot> {
        self.step("snapshot", scope, |inventory, _| Ok(inventory.snapshot()))
    }

    async fn changes_since(&self, scope: EventScope, since: Position) -> InventoryResult<CatchUp> {
        self.step("changes_since", scope, |inventory, _| Ok(inventory.changes_since(since)))
    }

    fn subscribe(&self) -> broadcast::Receiver<InventorySignal> {
        self.moved.subscribe()
    }

    async fn free_expired_holds(&self, holds_max: usize) -> StoreResult<usize> {
        self.unload_idle();
        let mut freed = 0;
        for scope in self.scopes() {
            // An event that was unloaded meanwhile has no holds to free.
            freed += self
                .step("sweep", scope, |inventory, now| Ok(inventory.free_expired_holds(holds_max, now)))
                .unwrap_or(0);
        }
        Ok(freed)
    }

    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<GateFilter> {
        self.step("gate_filter", scope, |inventory, _| Ok(inventory.gate_filter(ticket)))
    }

    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> InventoryResult<()> {
        self.step("mark_admitted", scope, |inventory, _| {
            inventory.mark_admitted(ticket);
            self.end_intents(scope, &[ticket]);
            Ok(())
        })
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> InventoryResult<()> {
        self.step("mark_revoked", scope, |inventory, _| {
            inventory.mark_revoked(tickets);
            self.end_intents(scope, tickets);
            Ok(())
        })
    }

    async fn loaded_events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(self.scopes())
    }

    async fn held_by(&self, scope: EventScope, session: SessionId) -> InventoryResult<u32> {
        self.step("held_by", scope, |inventory, now| Ok(inventory.held_by(session, now)))
    }

    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        self.session_holds.add(session, scope, hold, self.environment.now());
        Ok(())
    }

    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        Ok(self.session_holds.of(session, self.environment.now()))
    }
}
