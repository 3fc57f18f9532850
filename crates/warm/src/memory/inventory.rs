//! The inventory of every event in this process's memory.
//!
//! Never: keeps an event's lock over an await, nor serves a state whose step was broken off by a panic: that event is unloaded and rebuilt (P1).

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dashmap::DashMap;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::ticketing::ports::{Answer, EventScope, InventoryError, InventoryStore, Lease, Moved};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{
    CatchUp, GateFilter, Install, InstallRefused, Inventory, InventorySnapshot,
};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call, warm_rebuilt};

use super::counts::CountsOfEvent;
use super::kept::Kept;
use super::noted::Noted;
use super::presence::Counts;

/// Signals that a slow reader may miss before it is told that it lags; it then re-reads what it follows.
const SIGNALS: usize = 1024;

/// An event that nobody used for so long, and in which nothing is held or kept, is unloaded; whoever uses it next has it loaded from cold.
const UNLOADED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Events are looked at for that this often.
const UNLOAD_INTERVAL: Duration = Duration::from_secs(60);

/// An event's state; absent until installed.
type Slot = Arc<Mutex<Option<Inventory>>>;

/// The warm inventory in memory.
pub struct MemoryInventory {
    events: DashMap<EventScope, Slot>,
    /// When an event was used last, sweeps aside.
    used: DashMap<EventScope, Timestamp>,
    /// When events were looked at for unloading.
    unloaded_at: Mutex<Timestamp>,
    /// Who may install an event, and until when.
    leases: DashMap<EventScope, (Uuid, Timestamp)>,
    /// Scans that wait for cold; touched under the event's lock alone.
    pub(super) kept: DashMap<EventScope, Kept>,
    /// Who watches, by event and node.
    pub(super) viewers: DashMap<EventScope, Counts>,
    /// What nodes counted, by event.
    pub(super) counts: DashMap<EventScope, CountsOfEvent>,
    /// Which holds each session asked for.
    pub(super) noted: Noted,
    /// The number of the last entry of any stream of counts.
    pub(super) last_count: AtomicU64,
    /// When this store began.
    pub(super) started: Timestamp,
    moved: broadcast::Sender<Moved>,
    pub(super) environment: Arc<dyn Environment>,
}

impl std::fmt::Debug for MemoryInventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut events: Vec<_> = self.events.iter().map(|entry| (*entry.key(), entry.value().clone())).collect();
        events.sort_by_key(|(scope, _)| *scope);
        let events =
            events.iter().map(|(scope, slot)| (scope, slot.lock().unwrap_or_else(PoisonError::into_inner).clone()));
        f.debug_map().entries(events).finish()
    }
}

impl MemoryInventory {
    /// An empty store, in which every event is unloaded.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        Self {
            events: DashMap::new(),
            used: DashMap::new(),
            unloaded_at: Mutex::new(environment.now()),
            leases: DashMap::new(),
            kept: DashMap::new(),
            viewers: DashMap::new(),
            counts: DashMap::new(),
            noted: Noted::default(),
            last_count: AtomicU64::new(0),
            started: environment.now(),
            moved: broadcast::channel(SIGNALS).0,
            environment,
        }
    }

    /// Forgets everything, as an emptied store would.
    pub fn clear(&self) {
        self.events.clear();
        self.used.clear();
        self.leases.clear();
        self.kept.clear();
        self.viewers.clear();
        self.counts.clear();
        self.noted.clear();
    }

    /// Runs one step of an event's machine, signals if its log grew, and measures.
    pub(super) fn step<T>(
        &self,
        script: &'static str,
        scope: EventScope,
        act: impl FnOnce(&mut Inventory, Timestamp) -> Result<T, Refusal>,
    ) -> Answer<T> {
        let watch = Stopwatch::start();
        if script != "sweep" {
            self.used.insert(scope, self.environment.now());
        }
        let answer = self.locked(scope, |inventory| {
            let before = inventory.position();
            let answer = act(inventory, self.environment.now());
            if inventory.position() != before {
                self.signal(scope, inventory.position());
            }
            answer
        });
        warm_call(script, end_of(&answer), watch.elapsed());
        answer
    }

    fn locked<T>(&self, scope: EventScope, act: impl FnOnce(&mut Inventory) -> Result<T, Refusal>) -> Answer<T> {
        let slot = self.events.get(&scope).map(|slot| Arc::clone(&slot)).ok_or(InventoryError::Unloaded)?;
        let Ok(mut state) = slot.lock() else {
            tracing::error!(
                organization = %scope.organization, event = %scope.event, slice = "ticketing",
                "a step was broken off, the event is unloaded"
            );
            self.events.remove_if(&scope, |_, other| Arc::ptr_eq(other, &slot));
            return Err(InventoryError::Unloaded);
        };
        let inventory = state.as_mut().ok_or(InventoryError::Unloaded)?;
        act(inventory).map_err(InventoryError::Refused)
    }

    fn install_now(&self, scope: EventScope, lease: Uuid, install: Install) -> Answer<Position> {
        let now = self.environment.now();
        if self.leases.get(&scope).is_none_or(|held| held.0 != lease || held.1 <= now) {
            return Err(InventoryError::Unloaded);
        }
        let slot = Arc::clone(&self.events.entry(scope).or_default());
        // A broken state is not built upon: what the guard holds then is replaced without a look at it.
        let (mut state, sound) = match slot.lock() {
            Ok(state) => (state, true),
            Err(poisoned) => (poisoned.into_inner(), false),
        };
        let previous = state.as_ref().filter(|_| sound);
        let inventory =
            Inventory::install(previous, install, self.environment.now()).map_err(|refused| match refused {
                InstallRefused::EpochNotHigher { .. } => InventoryError::Unloaded,
                malformed @ InstallRefused::Malformed(_) => InventoryError::Fault(Fault::internal(malformed)),
            })?;
        let position = inventory.position();
        self.used.insert(scope, now);
        *state = Some(inventory);
        slot.clear_poison();
        self.leases.remove_if(&scope, |_, held| held.0 == lease);
        self.signal(scope, position);
        Ok(position)
    }

    /// Sent under the event's lock, so that signals of an event come in its order.
    fn signal(&self, scope: EventScope, position: Position) {
        // Nobody listening is no fault.
        let _ = self.moved.send(Moved { scope, position });
    }

    /// Within the event's step: the filter knows these from now on.
    fn known(&self, scope: EventScope, tickets: &[TicketId]) {
        if let Some(mut kept) = self.kept.get_mut(&scope) {
            kept.known(tickets);
        }
    }

    /// Unloads events that nobody used for long, so that what is remembered of past events has an end.
    fn unload_idle(&self) {
        let now = self.environment.now();
        let mut looked = self.unloaded_at.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(*looked) < UNLOAD_INTERVAL {
            return;
        }
        *looked = now;
        let is_idle = |at: Timestamp| now.since(at) >= UNLOADED_AFTER;
        let idle: Vec<EventScope> =
            self.used.iter().filter(|used| is_idle(*used.value())).map(|used| *used.key()).collect();
        for scope in idle {
            let keeps = self.kept.get(&scope).is_some_and(|kept| !kept.is_empty());
            let unloads = |slot: &Slot| {
                let state = slot.lock().unwrap_or_else(PoisonError::into_inner);
                state.as_ref().is_none_or(|inventory| !inventory.has_holds())
            };
            if !keeps && self.events.remove_if(&scope, |_, slot| unloads(slot)).is_some() {
                self.kept.remove_if(&scope, |_, kept| kept.is_empty());
                self.used.remove_if(&scope, |_, at| is_idle(*at));
            } else if !self.events.contains_key(&scope) {
                self.used.remove_if(&scope, |_, at| is_idle(*at));
            }
        }
        self.leases.retain(|_, held| held.1 > now);
        self.viewers.retain(|_, counts| counts.values().any(|(_, until)| *until > now));
    }

    fn scopes(&self) -> Vec<EventScope> {
        let loaded = |slot: &Slot| slot.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let slots: Vec<_> = self.events.iter().map(|entry| (*entry.key(), Arc::clone(entry.value()))).collect();
        let mut scopes: Vec<_> = slots.into_iter().filter(|(_, slot)| loaded(slot)).map(|(scope, _)| scope).collect();
        scopes.sort_unstable();
        scopes
    }
}

const fn end_of<T>(answer: &Answer<T>) -> CallEnd {
    match answer {
        Ok(_) => CallEnd::Done,
        Err(InventoryError::Refused(_)) => CallEnd::Refused,
        Err(InventoryError::Unloaded) => CallEnd::Unloaded,
        Err(InventoryError::Fault(_)) => CallEnd::Failed,
    }
}

#[async_trait]
impl InventoryStore for MemoryInventory {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<Lease> {
        let now = self.environment.now();
        let mut held = self.leases.entry(scope).or_insert((lease, now));
        if held.0 != lease && held.1 > now {
            return Ok(Lease::Taken { free_in: held.1.since(now) });
        }
        *held = (lease, now.plus(lasts));
        Ok(Lease::Given)
    }

    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> Answer<Position> {
        let watch = Stopwatch::start();
        let answer = self.install_now(scope, lease, install);
        warm_call("install", end_of(&answer), watch.elapsed());
        if answer.is_ok() {
            warm_rebuilt();
        }
        answer
    }

    async fn hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        self.step("hold", scope, |inventory, now| inventory.hold(request, now))
    }

    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        self.step("change_hold", scope, |inventory, now| inventory.change_hold(request, now))
    }

    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        self.step("read_hold", scope, |inventory, now| inventory.read_hold(hold, now))
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.step("release", scope, |inventory, now| inventory.release(hold, now))
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        self.step("pin", scope, |inventory, now| inventory.pin(hold, now))
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
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
    ) -> Answer<Position> {
        self.step("apply", scope, |inventory, now| Ok(inventory.apply(claimed_by, effects, now)))
    }

    async fn snapshot(&self, scope: EventScope) -> Answer<InventorySnapshot> {
        self.step("snapshot", scope, |inventory, _| Ok(inventory.snapshot()))
    }

    async fn changes_since(&self, scope: EventScope, since: Position) -> Answer<CatchUp> {
        self.step("changes_since", scope, |inventory, _| Ok(inventory.changes_since(since)))
    }

    fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.moved.subscribe()
    }

    async fn sweep(&self, most: usize) -> StoreResult<usize> {
        self.unload_idle();
        let mut swept = 0;
        for scope in self.scopes() {
            // An event that was unloaded since has nothing to sweep.
            swept += self.step("sweep", scope, |inventory, now| Ok(inventory.sweep(most, now))).unwrap_or(0);
        }
        Ok(swept)
    }

    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> Answer<GateFilter> {
        self.step("gate_filter", scope, |inventory, _| Ok(inventory.gate_filter(ticket)))
    }

    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> Answer<()> {
        self.step("mark_admitted", scope, |inventory, _| {
            inventory.mark_admitted(ticket);
            self.known(scope, &[ticket]);
            Ok(())
        })
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> Answer<()> {
        self.step("mark_revoked", scope, |inventory, _| {
            inventory.mark_revoked(tickets);
            self.known(scope, tickets);
            Ok(())
        })
    }

    async fn loaded(&self) -> StoreResult<Vec<EventScope>> {
        Ok(self.scopes())
    }

    async fn held_by(&self, scope: EventScope, session: SessionId) -> Answer<u32> {
        self.step("held_by", scope, |inventory, now| Ok(inventory.held_by(session, now)))
    }

    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        self.noted.note(session, scope, hold, self.environment.now());
        Ok(())
    }

    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        Ok(self.noted.of(session, self.environment.now()))
    }
}
