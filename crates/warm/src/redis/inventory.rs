//! The inventory's port on Redis: each method packs its values, runs its script where the event lives, and reads the answer.
//!
//! Never acts upon a state older than what this node has seen of the event: the highest position seen goes with every call (P1, P8).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dashmap::DashMap;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use redis::{Value, cmd};
use tokio::sync::{Mutex, broadcast};
use tokio::time::Instant;
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::{Answer, EventScope, InventoryError, InventoryStore, Lease, Moved};
use voelgoed_domain::ids::{HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::inventory::{CatchUp, GateFilter, Install, InventorySnapshot};
use voelgoed_domain::ticketing::place::{PlaceEffect, Position};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call, warm_rebuilt};

use super::active::{ActiveEvents, Activity, DISCOVER_INTERVAL};
use super::error::CallError;
use super::reply::{self, Reply, RequestLimits};
use super::router::Router;
use super::scripts::{self, Script};
use super::server::Call;
use super::settings::{Clock, RedisSettings};
use super::signals::Signals;
use super::{keys, request};

/// A rebuild may take so much longer than other calls.
const INSTALL_TAKES: u32 = 10;
/// The most events of which this node remembers how far it has seen them.
const SEEN_MAX: usize = 65_536;
/// Signals of events that nobody reads any more are given up this often.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);
/// Keys that one step of a scan looks at.
const SCANNED_AT_ONCE: usize = 1000;
/// Events swept at once.
const SWEPT_TOGETHER: usize = 16;

/// The warm inventory on Redis, shared by all nodes.
pub struct RedisWarm {
    pub(super) settings: Arc<RedisSettings>,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) router: Router,
    signals: Signals,
    /// The highest position of each event that this node was told of, and when: at most [`SEEN_MAX`] events.
    seen: DashMap<EventScope, (Position, Instant)>,
    pub(super) active: ActiveEvents,
    discovered: Mutex<Option<Instant>>,
    forgotten: Mutex<Instant>,
}

impl RedisWarm {
    /// A store that connects at its first call; nothing is sent here, so a node starts while the servers are away.
    #[must_use]
    pub fn open(settings: RedisSettings, environment: Arc<dyn Environment>) -> Self {
        let settings = Arc::new(settings);
        Self {
            router: Router::new(Arc::clone(&settings), Arc::clone(&environment)),
            signals: Signals::new(Arc::clone(&settings), Arc::clone(&environment)),
            settings,
            environment,
            seen: DashMap::new(),
            active: ActiveEvents::default(),
            discovered: Mutex::default(),
            forgotten: Mutex::new(Instant::now()),
        }
    }

    /// Runs a script of an event and reads what it said.
    pub(super) async fn run(&self, scope: EventScope, script: &'static Script, args: Vec<Vec<u8>>) -> Answer<Value> {
        self.run_limited(scope, script, args, RequestLimits::default()).await.map(|(_, value)| value)
    }

    /// The same, where a refusal may name a limit of the request, or the position is wanted.
    async fn run_limited(
        &self,
        scope: EventScope,
        script: &'static Script,
        args: Vec<Vec<u8>>,
        limits: RequestLimits,
    ) -> Answer<(Position, Value)> {
        let watch = Stopwatch::start();
        let answer = self.attempt(scope, script, args, limits).await;
        let end = match &answer {
            Ok(_) => CallEnd::Done,
            Err(InventoryError::Refused(_)) => CallEnd::Refused,
            Err(InventoryError::Unloaded) => CallEnd::Unloaded,
            Err(InventoryError::Fault(_)) => CallEnd::Failed,
        };
        warm_call(script.name, end, watch.elapsed());
        answer
    }

    async fn attempt(
        &self,
        scope: EventScope,
        script: &'static Script,
        args: Vec<Vec<u8>>,
        limits: RequestLimits,
    ) -> Answer<(Position, Value)> {
        let key = keys::base(&self.settings.prefix, scope);
        let seen = self.seen.get(&scope).map(|seen| seen.0).unwrap_or_default();
        self.note_step(scope, script).await;
        let mut all = vec![request::number(seen.epoch.0), request::number(seen.seq), self.injected_now()];
        all.extend(args);
        let takes = if std::ptr::eq(script, &scripts::INSTALL) { INSTALL_TAKES } else { 1 };
        let call = Call { script, key: &key, args: &all, within: self.settings.answer_within * takes };
        let answer = match self.router.call(&call).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.failed(scope, &key, script, error).await.into()),
        };
        let Reply { position, value } = reply::read(answer, limits)?;
        self.saw(scope, position);
        Ok((position, value?))
    }

    /// Lists the event where the step leaves something to do.
    async fn note_step(&self, scope: EventScope, script: &'static Script) {
        let is = |other: &'static Script| std::ptr::eq(script, other);
        if is(&scripts::HOLD) || is(&scripts::CHANGE_HOLD) || is(&scripts::PIN) {
            self.list_active(Activity::Holds, scope, false).await;
        } else if is(&scripts::KEEP_SCAN) {
            self.list_active(Activity::Scans, scope, false).await;
        } else if is(&scripts::INSTALL) {
            // A store that was emptied has lost its lists as well.
            for activity in Activity::ALL {
                self.list_active(*activity, scope, true).await;
            }
        }
    }

    fn saw(&self, scope: EventScope, position: Position) {
        let now = Instant::now();
        if self.seen.len() >= SEEN_MAX && !self.seen.contains_key(&scope) {
            let mut times: Vec<Instant> = self.seen.iter().map(|seen| seen.1).collect();
            let middle = times.len() / 2;
            let (_, newer, _) = times.select_nth_unstable(middle);
            let newer = *newer;
            self.seen.retain(|_, seen| seen.1 > newer);
        }
        let mut newest = self.seen.entry(scope).or_insert((position, now));
        *newest = (position.max(newest.0), now);
    }

    /// The moment as scripts are told it: nothing where the server's own clock counts.
    pub(super) fn injected_now(&self) -> Vec<u8> {
        match self.settings.clock {
            Clock::Server => Vec::new(),
            Clock::Environment => request::number(self.environment.now().micros()),
        }
    }

    /// What a call without an answer comes to. A step that was broken off is not built upon: its event is unloaded, as good as that goes.
    async fn failed(&self, scope: EventScope, key: &str, script: &Script, error: CallError) -> Fault {
        match error {
            CallError::Lost(detail) if !script.writes => Fault::away(Dependency::Warm, detail),
            CallError::Broken(detail) => {
                tracing::error!(
                    organization = %scope.organization, event = %scope.event, slice = "ticketing",
                    script = script.name, detail, "a step was broken off, the event is unloaded"
                );
                let unload = Call { script: &scripts::UNLOAD, key, args: &[], within: self.settings.answer_within };
                match self.router.call(&unload).await {
                    Ok(_) => Fault::internal(detail),
                    Err(error) => error.into(),
                }
            }
            other => other.into(),
        }
    }

    /// Listens to the event's signals before it is read, so that nothing falls between.
    async fn follow(&self, scope: EventScope) {
        if let Ok(server) = self.router.serving(&keys::base(&self.settings.prefix, scope)).await {
            self.signals.follow(&server.address, scope).await;
        }
        let mut forgotten = self.forgotten.lock().await;
        if forgotten.elapsed() >= FORGET_INTERVAL {
            *forgotten = Instant::now();
            drop(forgotten);
            self.signals.forget_idle().await;
        }
    }

    async fn scan(&self) -> StoreResult<Vec<EventScope>> {
        let mut found = vec![];
        for server in self.router.masters().await {
            let mut cursor = b"0".to_vec();
            loop {
                let mut step = cmd("SCAN");
                step.arg(&cursor).arg("MATCH").arg(format!("{}:{{*}}:meta", self.settings.prefix));
                step.arg("COUNT").arg(SCANNED_AT_ONCE);
                let (next, keys) = scanned(server.ask(&step).await?)?;
                found.extend(keys.iter().filter_map(|key| keys::scope_of(&self.settings.prefix, key, "meta")));
                cursor = next;
                if cursor == b"0" {
                    break;
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Every so often all keys are looked at, and events that are on no list although something is to do there are listed.
    async fn discover(&self) -> StoreResult<()> {
        let mut discovered = self.discovered.lock().await;
        if discovered.is_some_and(|at| at.elapsed() < DISCOVER_INTERVAL) {
            return Ok(());
        }
        let looked = stream::iter(self.scan().await?).map(|scope| async move {
            let found = match self.run(scope, &scripts::SWEEP, vec![request::number(0)]).await {
                Ok(value) => reply::left_to_do(value)?,
                // Nothing to do; whoever needs the event rebuilds it.
                Err(InventoryError::Unloaded | InventoryError::Refused(_)) => return Ok(()),
                Err(InventoryError::Fault(fault)) => return Err(fault),
            };
            for (activity, left) in
                [(Activity::Holds, found.holds), (Activity::Scans, found.scans), (Activity::Counts, found.counts)]
            {
                if left > 0 {
                    self.list_active(activity, scope, false).await;
                }
            }
            Ok(())
        });
        looked.buffer_unordered(SWEPT_TOGETHER).try_collect::<()>().await?;
        *discovered = Some(Instant::now());
        Ok(())
    }
}

fn scanned(answer: Value) -> StoreResult<(Vec<u8>, Vec<Vec<u8>>)> {
    if let Value::Array(parts) = answer
        && let Ok([Value::BulkString(cursor), Value::Array(keys)]) = <[Value; 2]>::try_from(parts)
    {
        let text = |key| if let Value::BulkString(key) = key { Some(key) } else { None };
        return Ok((cursor, keys.into_iter().filter_map(text).collect()));
    }
    Err(Fault::internal("SCAN answered with something else"))
}

#[async_trait]
impl InventoryStore for RedisWarm {
    async fn lease_rebuild(&self, scope: EventScope, lease: Uuid, lasts: Duration) -> StoreResult<Lease> {
        let args = vec![lease.simple().to_string().into_bytes(), request::number(lasts.as_millis())];
        match self.run(scope, &scripts::LEASE, args).await {
            Ok(value) => Ok(match reply::number(&value)? {
                0 => Lease::Given,
                millis => Lease::Taken { free_in: Duration::from_millis(millis) },
            }),
            Err(InventoryError::Fault(fault)) => Err(fault),
            Err(other) => Err(Fault::internal(other)),
        }
    }

    async fn install(&self, scope: EventScope, lease: Uuid, install: Install) -> Answer<Position> {
        let mut args = vec![lease.simple().to_string().into_bytes()];
        args.extend(request::install(&install)?);
        let (position, _) = self.run_limited(scope, &scripts::INSTALL, args, RequestLimits::default()).await?;
        warm_rebuilt();
        Ok(position)
    }

    async fn hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        let args = request::request(&request);
        let (_, value) = self.run_limited(scope, &scripts::HOLD, args, (&request).into()).await?;
        Ok(reply::hold(request.hold, value)?)
    }

    async fn change_hold(&self, scope: EventScope, request: HoldRequest) -> Answer<HoldRecord> {
        let args = request::request(&request);
        let (_, value) = self.run_limited(scope, &scripts::CHANGE_HOLD, args, (&request).into()).await?;
        Ok(reply::hold(request.hold, value)?)
    }

    async fn read_hold(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        let value = self.run(scope, &scripts::READ_HOLD, request::hold(hold).to_vec()).await?;
        Ok(reply::hold(hold, value)?)
    }

    async fn release(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.run(scope, &scripts::RELEASE, request::hold(hold).to_vec()).await.map(drop)
    }

    async fn pin(&self, scope: EventScope, hold: HoldId) -> Answer<HoldRecord> {
        let value = self.run(scope, &scripts::PIN, request::hold(hold).to_vec()).await?;
        Ok(reply::hold(hold, value)?)
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) -> Answer<()> {
        self.run(scope, &scripts::UNPIN, request::hold(hold).to_vec()).await.map(drop)
    }

    async fn apply(
        &self,
        scope: EventScope,
        claimed_by: Option<(HoldId, OrderId)>,
        effects: &[PlaceEffect],
    ) -> Answer<Position> {
        let bytes = |id: Uuid| id.as_bytes().to_vec();
        let (hold, order) =
            claimed_by.map_or_else(Default::default, |(hold, order)| (bytes(hold.uuid()), bytes(order.uuid())));
        let args = vec![hold, order, request::effects(effects)];
        self.run_limited(scope, &scripts::APPLY, args, RequestLimits::default()).await.map(|(position, _)| position)
    }

    async fn snapshot(&self, scope: EventScope) -> Answer<InventorySnapshot> {
        self.follow(scope).await;
        let (position, value) = self.run_limited(scope, &scripts::SNAPSHOT, vec![], RequestLimits::default()).await?;
        Ok(reply::snapshot(position, value)?)
    }

    async fn changes_since(&self, scope: EventScope, since: Position) -> Answer<CatchUp> {
        self.follow(scope).await;
        let args = vec![request::number(since.epoch.0), request::number(since.seq)];
        let (position, value) =
            self.run_limited(scope, &scripts::CHANGES_SINCE, args, RequestLimits::default()).await?;
        Ok(reply::catch_up(position, value)?)
    }

    fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.signals.subscribe()
    }

    async fn sweep(&self, most: usize) -> StoreResult<usize> {
        self.discover().await?;
        let events = self.active(Activity::Holds).await?;
        let most = request::number(most.min(u32::MAX as usize));
        let swept = stream::iter(events).map(|scope| {
            let most = most.clone();
            async move { (scope, self.run(scope, &scripts::SWEEP, vec![most]).await) }
        });
        let mut swept = swept.buffer_unordered(SWEPT_TOGETHER);
        let (mut freed, mut fault) = (0, None);
        while let Some((scope, answer)) = swept.next().await {
            match answer {
                Ok(value) => {
                    let left = reply::left_to_do(value)?;
                    freed += usize::try_from(left.freed).unwrap_or(usize::MAX);
                    if left.holds == 0 {
                        self.emptied(Activity::Holds, scope);
                    }
                }
                // Nothing to sweep; whoever needs the event rebuilds it, which lists it anew.
                Err(InventoryError::Unloaded | InventoryError::Refused(_)) => self.emptied(Activity::Holds, scope),
                Err(InventoryError::Fault(other)) => fault = Some(other),
            }
        }
        fault.map_or(Ok(freed), Err)
    }

    async fn gate_filter(&self, scope: EventScope, ticket: TicketId) -> Answer<GateFilter> {
        let value = self.run(scope, &scripts::GATE_FILTER, vec![request::tickets(&[ticket])]).await?;
        Ok(match reply::number(&value)? {
            0 => GateFilter::Unseen,
            1 => GateFilter::Admitted,
            _ => GateFilter::Revoked,
        })
    }

    async fn mark_admitted(&self, scope: EventScope, ticket: TicketId) -> Answer<()> {
        let args = vec![b"admitted".to_vec(), request::tickets(&[ticket])];
        self.run(scope, &scripts::MARK_ADMITTED, args).await.map(drop)
    }

    async fn mark_revoked(&self, scope: EventScope, tickets: &[TicketId]) -> Answer<()> {
        let args = vec![b"revoked".to_vec(), request::tickets(tickets)];
        self.run(scope, &scripts::MARK_REVOKED, args).await.map(drop)
    }

    async fn loaded(&self) -> StoreResult<Vec<EventScope>> {
        self.scan().await
    }

    async fn held_by(&self, scope: EventScope, session: SessionId) -> Answer<u32> {
        let value = self.run(scope, &scripts::HELD_BY, vec![session.uuid().as_bytes().to_vec()]).await?;
        Ok(u32::try_from(reply::number(&value)?).unwrap_or(u32::MAX))
    }

    async fn note_hold(&self, session: SessionId, scope: EventScope, hold: HoldId) -> StoreResult<()> {
        self.note_of_session(session, scope, hold).await
    }

    async fn noted_holds(&self, session: SessionId) -> StoreResult<Vec<(EventScope, HoldId)>> {
        self.notes(session).await
    }
}
