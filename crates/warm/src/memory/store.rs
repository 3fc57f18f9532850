//! The in-memory store: the inventory of every event behind a lock per event.
//!
//! Never: holds an event's lock over an await; serves a state whose step panicked: such an event is unloaded and rebuilt (P1).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{EventScope, InventoryError, InventoryResult, InventorySignal};
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::inventory::{Install, InstallRefused, Inventory};
use voelgoed_domain::ticketing::place::Position;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call};

use super::event_counts::EventCounts;
use super::event_scans::EventScans;
use super::session_holds::SessionHolds;

/// Signals queued for a slow reader; a reader that lags behind more re-reads every event that it follows.
const SIGNALS_QUEUED_MAX: usize = 1024;

/// An unused event without holds and pending scans is unloaded after this time; the next use loads it from cold.
const IDLE_TIMEOUT: Duration = Duration::from_secs(24 * 3600);
/// The interval at which idle events are unloaded.
const UNLOAD_INTERVAL: Duration = Duration::from_secs(60);

/// The state of an event; absent until installed.
type Slot = Arc<Mutex<Option<Inventory>>>;

/// The viewers of each node, and the end of the report of each.
type ViewerCounts = BTreeMap<Uuid, (u32, Timestamp)>;

/// The warm tier in this process's memory.
pub struct MemoryInventory {
    events: DashMap<EventScope, Slot>,
    /// The last use of each event, except by the freeing of expired holds.
    used_at: DashMap<EventScope, Timestamp>,
    /// When idle events were unloaded last.
    unloaded_at: Mutex<Timestamp>,
    /// The node that may install an event, and the end of its lease.
    pub(super) leases: DashMap<EventScope, (Uuid, Timestamp)>,
    /// Scans that cold has not recorded; accessed only under the event's lock.
    pub(super) scans: DashMap<EventScope, EventScans>,
    /// Viewers by event and node.
    pub(super) viewers: DashMap<EventScope, ViewerCounts>,
    /// The count stream of each event.
    pub(super) counts: DashMap<EventScope, EventCounts>,
    /// The holds of each session.
    pub(super) session_holds: SessionHolds,
    /// The number of the last entry of any count stream.
    pub(super) last_count: AtomicU64,
    /// The start of this store.
    pub(super) started_at: Timestamp,
    pub(super) moved: broadcast::Sender<InventorySignal>,
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
    /// An empty store in which every event is unloaded.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        Self {
            events: DashMap::new(),
            used_at: DashMap::new(),
            unloaded_at: Mutex::new(environment.now()),
            leases: DashMap::new(),
            scans: DashMap::new(),
            viewers: DashMap::new(),
            counts: DashMap::new(),
            session_holds: SessionHolds::default(),
            last_count: AtomicU64::new(0),
            started_at: environment.now(),
            moved: broadcast::channel(SIGNALS_QUEUED_MAX).0,
            environment,
        }
    }

    /// Removes all data, as a flushed server would.
    pub fn clear(&self) {
        self.events.clear();
        self.used_at.clear();
        self.leases.clear();
        self.scans.clear();
        self.viewers.clear();
        self.counts.clear();
        self.session_holds.clear();
    }

    /// Runs one step of an event's inventory, sends a signal if the log grew, and records metrics.
    pub(super) fn step<T>(
        &self,
        script: &'static str,
        scope: EventScope,
        act: impl FnOnce(&mut Inventory, Timestamp) -> Result<T, Refusal>,
    ) -> InventoryResult<T> {
        let stopwatch = Stopwatch::start();
        if script != "sweep" {
            self.used_at.insert(scope, self.environment.now());
        }
        let result = self.locked(scope, |inventory| {
            let before = inventory.position();
            let result = act(inventory, self.environment.now());
            if inventory.position() != before {
                self.signal(scope, inventory.position());
            }
            result
        });
        warm_call(script, end_of(&result), stopwatch.elapsed());
        result
    }

    fn locked<T>(
        &self,
        scope: EventScope,
        act: impl FnOnce(&mut Inventory) -> Result<T, Refusal>,
    ) -> InventoryResult<T> {
        let slot = self.events.get(&scope).map(|slot| Arc::clone(&slot)).ok_or(InventoryError::Unloaded)?;
        let Ok(mut state) = slot.lock() else {
            tracing::error!(
                organization = %scope.organization, event = %scope.event, slice = "ticketing",
                "a step panicked, the event is unloaded"
            );
            self.events.remove_if(&scope, |_, other| Arc::ptr_eq(other, &slot));
            return Err(InventoryError::Unloaded);
        };
        let inventory = state.as_mut().ok_or(InventoryError::Unloaded)?;
        act(inventory).map_err(InventoryError::Refused)
    }

    pub(super) fn install_now(&self, scope: EventScope, lease: Uuid, install: Install) -> InventoryResult<Position> {
        let now = self.environment.now();
        if self.leases.get(&scope).is_none_or(|held| held.0 != lease || held.1 <= now) {
            return Err(InventoryError::Unloaded);
        }
        let slot = Arc::clone(&self.events.entry(scope).or_default());
        // The state of a step that panicked is replaced without being read.
        let (mut state, is_sound) = match slot.lock() {
            Ok(state) => (state, true),
            Err(poisoned) => (poisoned.into_inner(), false),
        };
        let previous = state.as_ref().filter(|_| is_sound);
        let inventory =
            Inventory::install(previous, install, self.environment.now()).map_err(|refused| match refused {
                InstallRefused::EpochNotHigher { .. } => InventoryError::Unloaded,
                malformed @ InstallRefused::Malformed(_) => InventoryError::Fault(Fault::internal(malformed)),
            })?;
        let position = inventory.position();
        self.used_at.insert(scope, now);
        *state = Some(inventory);
        slot.clear_poison();
        self.leases.remove_if(&scope, |_, held| held.0 == lease);
        self.signal(scope, position);
        Ok(position)
    }

    /// Sends a signal under the event's lock, so that signals of an event are in order.
    fn signal(&self, scope: EventScope, position: Position) {
        // An error only means that no follower is subscribed.
        let _ = self.moved.send(InventorySignal { scope, position });
    }

    /// Ends the intents of tickets that the gate filter knows; called within the event's step.
    pub(super) fn end_intents(&self, scope: EventScope, tickets: &[TicketId]) {
        if let Some(mut scans) = self.scans.get_mut(&scope) {
            scans.end_intents(tickets);
        }
    }

    /// Unloads idle events, so that memory does not grow with past events.
    pub(super) fn unload_idle(&self) {
        let now = self.environment.now();
        let mut unloaded_at = self.unloaded_at.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(*unloaded_at) < UNLOAD_INTERVAL {
            return;
        }
        *unloaded_at = now;
        let is_idle = |at: Timestamp| now.since(at) >= IDLE_TIMEOUT;
        let idle: Vec<EventScope> =
            self.used_at.iter().filter(|used_at| is_idle(*used_at.value())).map(|used_at| *used_at.key()).collect();
        for scope in idle {
            let has_scans = self.scans.get(&scope).is_some_and(|scans| !scans.is_empty());
            let can_unload = |slot: &Slot| {
                let state = slot.lock().unwrap_or_else(PoisonError::into_inner);
                state.as_ref().is_none_or(|inventory| !inventory.has_holds())
            };
            if !has_scans && self.events.remove_if(&scope, |_, slot| can_unload(slot)).is_some() {
                self.scans.remove_if(&scope, |_, scans| scans.is_empty());
                self.used_at.remove_if(&scope, |_, at| is_idle(*at));
            } else if !self.events.contains_key(&scope) {
                self.used_at.remove_if(&scope, |_, at| is_idle(*at));
            }
        }
        self.leases.retain(|_, held| held.1 > now);
        self.viewers.retain(|_, counts| counts.values().any(|(_, until)| *until > now));
    }

    /// The loaded events.
    pub(super) fn scopes(&self) -> Vec<EventScope> {
        let loaded = |slot: &Slot| slot.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let slots: Vec<_> = self.events.iter().map(|entry| (*entry.key(), Arc::clone(entry.value()))).collect();
        let mut scopes: Vec<_> = slots.into_iter().filter(|(_, slot)| loaded(slot)).map(|(scope, _)| scope).collect();
        scopes.sort_unstable();
        scopes
    }
}

pub(super) const fn end_of<T>(answer: &InventoryResult<T>) -> CallEnd {
    match answer {
        Ok(_) => CallEnd::Done,
        Err(InventoryError::Refused(_)) => CallEnd::Refused,
        Err(InventoryError::Unloaded) => CallEnd::Unloaded,
        Err(InventoryError::Fault(_)) => CallEnd::Failed,
    }
}
