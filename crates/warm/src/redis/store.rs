//! The Redis store: calls a function with the highest position seen on the server of its event, and updates that position from the reply.
//!
//! Never: acts on a state older than what this node has seen of the event; the highest position seen is an argument of every call (P1, P8).

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use redis::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Dependency, Fault};
use voelgoed_app::ticketing::ports::{EventScope, InventoryError, InventoryResult};
use voelgoed_domain::ticketing::place::Position;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call};

use super::activity::{ActiveEvents, Activity};
use super::error::CallError;
use super::function_library::{self, RedisFunction};
use super::reply::{self, Reply, RequestLimits};
use super::router::Router;
use super::server::Call;
use super::settings::{ClockSource, RedisSettings};
use super::signals::Signals;
use super::{keys, request};

/// The factor by which the reply timeout of an installation is longer.
const INSTALL_TIMEOUT_FACTOR: u32 = 10;
/// Events whose highest position this node remembers.
const SEEN_MAX: usize = 65_536;
/// The interval at which subscriptions of unread events are cancelled.
const UNSUBSCRIBE_INTERVAL: Duration = Duration::from_secs(60);

/// The warm tier on Redis, shared by all nodes.
pub struct RedisWarm {
    pub(super) settings: Arc<RedisSettings>,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) router: Router,
    pub(super) signals: Signals,
    /// The highest position of each event in a reply, and the time of that reply; at most [`SEEN_MAX`] events.
    seen: DashMap<EventScope, (Position, Instant)>,
    pub(super) active: ActiveEvents,
    pub(super) discovered_at: Mutex<Option<Instant>>,
    unsubscribed_at: Mutex<Instant>,
}

impl RedisWarm {
    /// A store that connects at its first call, so that a node starts while the servers are unavailable.
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
            discovered_at: Mutex::default(),
            unsubscribed_at: Mutex::new(Instant::now()),
        }
    }

    /// Runs a function of an event.
    pub(super) async fn run(
        &self,
        scope: EventScope,
        function: &'static RedisFunction,
        args: Vec<Vec<u8>>,
    ) -> InventoryResult<Value> {
        self.run_limited(scope, function, args, RequestLimits::default()).await.map(|(_, value)| value)
    }

    /// Runs a function of an event and also returns the position; a refusal names the limits of the request.
    pub(super) async fn run_limited(
        &self,
        scope: EventScope,
        function: &'static RedisFunction,
        args: Vec<Vec<u8>>,
        limits: RequestLimits,
    ) -> InventoryResult<(Position, Value)> {
        let stopwatch = Stopwatch::start();
        let result = self.attempt(scope, function, args, limits).await;
        let end = match &result {
            Ok(_) => CallEnd::Done,
            Err(InventoryError::Refused(_)) => CallEnd::Refused,
            Err(InventoryError::Unloaded) => CallEnd::Unloaded,
            Err(InventoryError::Fault(_)) => CallEnd::Failed,
        };
        warm_call(function.name, end, stopwatch.elapsed());
        result
    }

    async fn attempt(
        &self,
        scope: EventScope,
        function: &'static RedisFunction,
        args: Vec<Vec<u8>>,
        limits: RequestLimits,
    ) -> InventoryResult<(Position, Value)> {
        let key = keys::base(&self.settings.prefix, scope);
        let seen = self.seen.get(&scope).map(|seen| seen.0).unwrap_or_default();
        self.list_if_active(scope, function).await;
        let mut all = vec![request::number(seen.epoch.0), request::number(seen.seq), self.injected_now()];
        all.extend(args);
        let timeout_factor =
            if std::ptr::eq(function, &function_library::INSTALL) { INSTALL_TIMEOUT_FACTOR } else { 1 };
        let call = Call { function, key: &key, args: &all, timeout: self.settings.reply_timeout * timeout_factor };
        let answer = match self.router.call(&call).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.fault_of(scope, &key, function, error).await.into()),
        };
        let Reply { position, value } = reply::read(answer, limits)?;
        self.record_position(scope, position);
        Ok((position, value?))
    }

    /// Lists the event before a step that leaves work for a worker.
    async fn list_if_active(&self, scope: EventScope, function: &'static RedisFunction) {
        let is = |other: &'static RedisFunction| std::ptr::eq(function, other);
        if is(&function_library::HOLD) || is(&function_library::CHANGE_HOLD) || is(&function_library::PIN) {
            self.list_active(Activity::Holds, scope, false).await;
        } else if is(&function_library::APPEND_OFFLINE_SCAN) {
            self.list_active(Activity::Scans, scope, false).await;
        } else if is(&function_library::INSTALL) {
            // A flushed server has lost its lists too.
            for activity in Activity::ALL {
                self.list_active(*activity, scope, true).await;
            }
        }
    }

    fn record_position(&self, scope: EventScope, position: Position) {
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

    /// The time argument of the functions: empty if the server's clock counts.
    pub(super) fn injected_now(&self) -> Vec<u8> {
        match self.settings.clock {
            ClockSource::Server => Vec::new(),
            ClockSource::Environment => request::number(self.environment.now().micros()),
        }
    }

    /// The fault of a failed call. A function that failed halfway may have left a partial step, so its event is unloaded.
    async fn fault_of(&self, scope: EventScope, key: &str, function: &RedisFunction, error: CallError) -> Fault {
        match error {
            CallError::Lost(detail) if !function.is_ambiguous_if_lost => Fault::unavailable(Dependency::Warm, detail),
            CallError::Broken(detail) => {
                tracing::error!(
                    organization = %scope.organization, event = %scope.event, slice = "ticketing",
                    script = function.name, detail, "a script failed halfway, the event is unloaded"
                );
                let unload =
                    Call { function: &function_library::UNLOAD, key, args: &[], timeout: self.settings.reply_timeout };
                match self.router.call(&unload).await {
                    Ok(_) => Fault::internal(detail),
                    Err(error) => error.into(),
                }
            }
            other => other.into(),
        }
    }

    /// Subscribes to the event's signals before a read, so that no change between the two is lost.
    pub(super) async fn follow(&self, scope: EventScope) {
        if let Ok(server) = self.router.server_of(&keys::base(&self.settings.prefix, scope)).await {
            self.signals.follow(&server.address, scope).await;
        }
        let mut unsubscribed_at = self.unsubscribed_at.lock().await;
        if unsubscribed_at.elapsed() >= UNSUBSCRIBE_INTERVAL {
            *unsubscribed_at = Instant::now();
            drop(unsubscribed_at);
            self.signals.unsubscribe_idle().await;
        }
    }
}
