//! The warm inventory behind its guard: every call has a deadline, a bulkhead, a breaker and the one retry (P9), and its health is the table's (P10).
//!
//! Never: a second retry below it. Calls may be made again, since holds have their identifiers, effects their versions, installs their epochs;
//! where one may not (a change of a hold, counts, allowances), it is made again only where it was not sent. To add a method of the port: its line below.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, Counted, Counts};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage, ClusterMessages};
use voelgoed_app::scanning::ports::{NewScan, OfflineScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{
    Answer, CatchUp, EventScope, GateFilter, Install, InventoryError, InventorySnapshot, InventoryStore, Lease, Moved,
};
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, ScanId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{
    BreakerLimit, BulkheadLimit, Capabilities, Guard, GuardError, GuardLimit, RateLimit, Repeat, RetryBudgetLimit,
    RetryPolicy, Spent, Verdict,
};

/// The limits of calls to a shared store.
pub const LIMIT: GuardLimit = GuardLimit {
    name: "warm",
    deadline: Duration::from_millis(2_500),
    // A script takes a millisecond, and the adapter itself waits for one second: whoever is silent for longer has stopped.
    attempt: Duration::from_millis(1_100),
    bulkhead: BulkheadLimit { name: "warm", running: 1_024, waiting: 16_384 },
    breaker: BreakerLimit { window: 5, failures_percent: 60, open_for: Duration::from_secs(1), probes: 1 },
    retry: RetryPolicy { retries: 2, first: Duration::from_millis(20), most: Duration::from_millis(200) },
    budget: RetryBudgetLimit { percent: 10, per_second: 5, most: 50 },
};

/// The limits of what goes over a whole event or over all of them: few at once, with more time, and no word on the store's health.
pub const LONG_LIMIT: GuardLimit = GuardLimit {
    name: "warm_long",
    deadline: Duration::from_secs(15),
    attempt: Duration::from_secs(12),
    bulkhead: BulkheadLimit { name: "warm_long", running: 32, waiting: 1_024 },
    retry: RetryPolicy::NEVER,
    ..LIMIT
};

/// The limits of counting callers: where the answer is not there at once, each node counts by itself, so nobody waits in line and nothing is repeated.
pub const ALLOWANCES_LIMIT: GuardLimit = GuardLimit {
    name: "warm_allowances",
    deadline: Duration::from_millis(150),
    attempt: Duration::from_millis(150),
    bulkhead: BulkheadLimit { name: "warm_allowances", running: 512, waiting: 0 },
    retry: RetryPolicy::NEVER,
    ..LIMIT
};

/// The limits of word between nodes: one server after the other is tried within an attempt. Nothing is decided by it, so its health is nobody's.
pub const BULLETIN_LIMIT: GuardLimit = GuardLimit {
    name: "bulletin",
    deadline: Duration::from_millis(3_500),
    attempt: Duration::from_millis(3_500),
    bulkhead: BulkheadLimit { name: "bulletin", running: 16, waiting: 1_024 },
    retry: RetryPolicy::NEVER,
    ..LIMIT
};

/// An inventory that is somewhere else.
pub struct Guarded {
    inner: Arc<dyn WarmPorts>,
    guard: Guard,
    long: Guard,
    allowances: Guard,
}

/// Every port of the warm tier, by one store.
pub trait WarmPorts: InventoryStore + OfflineScanJournal + Presence + CountStream + Allowances {}

impl<S: InventoryStore + OfflineScanJournal + Presence + CountStream + Allowances> WarmPorts for S {}

impl Guarded {
    /// `inner` behind its guard, which reports into `capabilities`; `seed` spreads the waits of this process apart from others'.
    #[must_use]
    pub fn new(inner: Arc<dyn WarmPorts>, capabilities: Capabilities, seed: u64) -> Self {
        let guard = Guard::new(LIMIT, seed).reporting(capabilities, Dependency::Warm);
        Self { inner, guard, long: Guard::new(LONG_LIMIT, seed), allowances: Guard::new(ALLOWANCES_LIMIT, seed) }
    }

    /// Asks whether the store answers at all; nothing is read or changed.
    ///
    /// # Errors
    /// The fault, where it does not.
    pub async fn ping(&self) -> StoreResult<()> {
        let nowhere =
            EventScope { organization: OrganizationId::from_uuid(Uuid::nil()), event: EventId::from_uuid(Uuid::nil()) };
        match self.gate_filter(nowhere, TicketId::from_uuid(Uuid::nil())).await {
            Err(InventoryError::Fault(fault)) => Err(fault),
            Ok(_) | Err(InventoryError::Unloaded | InventoryError::Refused(_)) => Ok(()),
        }
    }

    async fn ask<T, Fut>(&self, attempt: impl FnMut() -> Fut) -> Answer<T>
    where
        Fut: Future<Output = Answer<T>>,
    {
        asked(&self.guard, attempt).await
    }
}

async fn asked<T, Fut>(guard: &Guard, attempt: impl FnMut() -> Fut) -> Answer<T>
where
    Fut: Future<Output = Answer<T>>,
{
    guard.call(Repeat::Harmless, attempt, verdict).await.map_err(refusal_or_fault)
}

async fn stored<T, Fut>(guard: &Guard, attempt: impl FnMut() -> Fut) -> StoreResult<T>
where
    Fut: Future<Output = StoreResult<T>>,
{
    guard.call(Repeat::Harmless, attempt, verdict_of).await.map_err(own_fault)
}

fn verdict(error: &InventoryError) -> Verdict {
    match error {
        InventoryError::Unloaded | InventoryError::Refused(_) => Verdict::Answered,
        InventoryError::Fault(fault) => verdict_of(fault),
    }
}

const fn verdict_of(fault: &Fault) -> Verdict {
    match fault {
        Fault::Away { .. } => Verdict::NotSent,
        Fault::Ambiguous { .. } => Verdict::MayBeDone,
        Fault::Internal(_) => Verdict::Answered,
    }
}

/// What the store said, or why it was not heard.
fn refusal_or_fault(error: GuardError<InventoryError>) -> InventoryError {
    match error {
        GuardError::Failed { error, .. } => error,
        other => InventoryError::Fault(fault(&other)),
    }
}

/// The same of calls that nothing is refused in.
fn own_fault(error: GuardError<Fault>) -> Fault {
    match error {
        GuardError::Failed { error, .. } => error,
        other => fault(&other),
    }
}

fn fault<E: std::fmt::Display>(error: &GuardError<E>) -> Fault {
    if error.may_be_done() {
        return Fault::Ambiguous { dependency: Dependency::Warm, detail: error.to_string() };
    }
    Fault::away(Dependency::Warm, error)
}

#[async_trait]
impl InventoryStore for Guarded {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<Lease> {
        stored(&self.guard, || self.inner.lease_rebuild(scope, lease, lasts)).await
    }

    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> Answer<Position> {
        asked(&self.long, || self.inner.install(scope, lease, install.clone())).await
    }

    async fn hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        self.ask(|| self.inner.hold(scope, request.clone())).await
    }

    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        // Once only: a change that may be done is refused as `hold_changed` the second time, and would be made again on top of itself.
        let attempt = || self.inner.change_hold(scope, request.clone());
        self.guard.call(Repeat::OnlyUnsent, attempt, verdict).await.map_err(refusal_or_fault)
    }

    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        self.ask(|| self.inner.read_hold(scope, hold)).await
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.ask(|| self.inner.release(scope, hold)).await
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        self.ask(|| self.inner.pin(scope, hold)).await
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.ask(|| self.inner.unpin(scope, hold)).await
    }

    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> Answer<Position> {
        self.ask(|| self.inner.apply(scope, claimed_by, effects)).await
    }

    async fn snapshot(&self, scope: EventScope) -> Answer<InventorySnapshot> {
        self.ask(|| self.inner.snapshot(scope)).await
    }

    async fn changes_since(&self, scope: EventScope, since: Position) -> Answer<CatchUp> {
        self.ask(|| self.inner.changes_since(scope, since)).await
    }

    fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.inner.subscribe()
    }

    async fn sweep(&self, most: usize) -> StoreResult<usize> {
        stored(&self.long, || self.inner.sweep(most)).await
    }

    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> Answer<GateFilter> {
        self.ask(|| self.inner.gate_filter(scope, ticket)).await
    }

    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> Answer<()> {
        self.ask(|| self.inner.mark_admitted(scope, ticket)).await
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> Answer<()> {
        self.ask(|| self.inner.mark_revoked(scope, tickets)).await
    }

    async fn loaded(&self) -> StoreResult<Vec<EventScope>> {
        stored(&self.long, || self.inner.loaded()).await
    }

    async fn held_by(&self, scope: EventScope, session: SessionId) -> Answer<u32> {
        self.ask(|| self.inner.held_by(scope, session)).await
    }

    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        // A hint is not worth a wait: the limits of counting callers apply.
        let attempt = || self.inner.note_hold(session, scope, hold);
        self.allowances.call(Repeat::OnlyUnsent, attempt, verdict_of).await.map_err(own_fault)
    }

    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        let attempt = || self.inner.noted_holds(session);
        self.allowances.call(Repeat::OnlyUnsent, attempt, verdict_of).await.map_err(own_fault)
    }
}

#[async_trait]
impl OfflineScanJournal for Guarded {
    async fn keep(&self, scope: EventScope, scan: NewScan) -> Answer<OfflineScan> {
        self.ask(|| self.inner.keep(scope, scan.clone())).await
    }

    async fn told(&self, scope: EventScope, scan: ScanId) -> Answer<()> {
        self.ask(|| self.inner.told(scope, scan)).await
    }

    async fn announce(
        &self,
        scope: EventScope,
        act: Uuid,
        tickets: &[TicketId],
        most: usize,
    ) -> Answer<Vec<OfflineScan>> {
        self.ask(|| self.inner.announce(scope, act, tickets, most)).await
    }

    async fn answered(&self, scope: EventScope, act: Uuid, tickets: &[TicketId], became: GateFilter) -> Answer<()> {
        self.ask(|| self.inner.answered(scope, act, tickets, became)).await
    }

    async fn kept(&self, scope: EventScope, ticket: Option<TicketId>, most: usize) -> Answer<Vec<OfflineScan>> {
        self.ask(|| self.inner.kept(scope, ticket, most)).await
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        stored(&self.long, || OfflineScanJournal::events(&*self.inner)).await
    }

    async fn settle(&self, scope: EventScope, scans: &[ScanId]) -> Answer<()> {
        self.ask(|| self.inner.settle(scope, scans)).await
    }
}

#[async_trait]
impl Presence for Guarded {
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, lasts: Duration) -> StoreResult<u64> {
        stored(&self.guard, || self.inner.report(scope, node, viewers, lasts)).await
    }
}

#[async_trait]
impl Allowances for Guarded {
    async fn spend(&self, limit: RateLimit, caller: &Caller, most: u32) -> StoreResult<Spent> {
        let attempt = || self.inner.spend(limit, caller, most);
        self.allowances.call(Repeat::OnlyUnsent, attempt, verdict_of).await.map_err(own_fault)
    }
}

#[async_trait]
impl CountStream for Guarded {
    async fn append(&self, scope: EventScope, minute: Timestamp, counts: Counts) -> StoreResult<()> {
        // Once only: an entry that may have been written would count twice.
        let attempt = || self.inner.append(scope, minute, counts);
        self.long.call(Repeat::OnlyUnsent, attempt, verdict_of).await.map_err(own_fault)
    }

    async fn take(&self, scope: EventScope, reader: Uuid, most: usize, idle: Duration) -> StoreResult<Vec<Counted>> {
        stored(&self.long, || self.inner.take(scope, reader, most, idle)).await
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        stored(&self.long, || CountStream::events(&*self.inner)).await
    }

    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64> {
        stored(&self.long, || self.inner.finish(scope, ids)).await
    }
}

/// The way between nodes behind its guard.
pub struct GuardedBulletin {
    inner: Arc<dyn ClusterBus>,
    guard: Guard,
}

impl GuardedBulletin {
    /// `inner` behind its guard; `seed` as of [`Guarded::new`].
    #[must_use]
    pub fn new(inner: Arc<dyn ClusterBus>, seed: u64) -> Self {
        Self { inner, guard: Guard::new(BULLETIN_LIMIT, seed) }
    }
}

#[async_trait]
impl ClusterBus for GuardedBulletin {
    async fn tell(&self, notice: &ClusterMessage) -> StoreResult<()> {
        stored(&self.guard, || self.inner.tell(notice)).await
    }

    async fn listen(&self) -> StoreResult<ClusterMessages> {
        stored(&self.guard, || self.inner.listen()).await
    }
}
