//! Receives change signals of events by sharded pub/sub, so that a change on another node arrives within milliseconds.
//!
//! A signal is a hint: changes are read from the event's log, and events in use are polled once a second, so a lost signal only costs time. Pub/sub
//! instead of a blocking `XREAD`, because one connection serves any number of events and the subscriptions change without waking it.
//! Never: on the connection of calls; a server that loses a slot sends an unsolicited `sunsubscribe`, which the client would take for the reply to
//! the oldest call.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use dashmap::DashMap;
use redis::aio::{MultiplexedConnection, SendError};
use redis::{PushInfo, PushKind, Value, cmd};
use tokio::sync::{Mutex, broadcast};
use tokio::time::{Instant, timeout};
use voelgoed_app::environment::Environment;
use voelgoed_app::ticketing::ports::{EventScope, InventorySignal};
use voelgoed_domain::ticketing::place::Position;

use super::error::CallError;
use super::keys::{base, scope_of};
use super::server::{dial, jittered};
use super::settings::RedisSettings;

/// Signals queued for a slow reader; a reader that lags behind more re-reads every event that it follows.
const SIGNALS_QUEUED_MAX: usize = 1024;
/// The backoff after a failed connection attempt, during which signals are lost.
const RECONNECT_BACKOFF: Duration = Duration::from_secs(1);
/// A subscription is cancelled when its event was not read for this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(900);

/// The subscriptions of this node.
pub(super) struct Signals {
    settings: Arc<RedisSettings>,
    environment: Arc<dyn Environment>,
    received: Arc<Received>,
    subscribers: DashMap<String, Arc<Subscriber>>,
}

/// Received signals, forwarded to all followers on this node.
struct Received {
    prefix: String,
    moved: broadcast::Sender<InventorySignal>,
    newest: DashMap<EventScope, Position>,
}

/// The pub/sub connection to one server.
#[derive(Default)]
struct Subscriber {
    live: ArcSwapOption<LiveSubscriber>,
    not_before: Mutex<Option<Instant>>,
}

struct LiveSubscriber {
    connection: MultiplexedConnection,
    /// The subscribed events, and when each was last read.
    events: DashMap<EventScope, Instant>,
}

impl Signals {
    pub(super) fn new(settings: Arc<RedisSettings>, environment: Arc<dyn Environment>) -> Self {
        let prefix = settings.prefix.clone();
        let received =
            Arc::new(Received { prefix, moved: broadcast::channel(SIGNALS_QUEUED_MAX).0, newest: DashMap::new() });
        Self { settings, environment, received, subscribers: DashMap::new() }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<InventorySignal> {
        self.received.moved.subscribe()
    }

    /// Subscribes to an event at its server, so that the following read misses no change. A failure does not fail the read.
    pub(super) async fn follow(&self, address: &str, scope: EventScope) {
        let subscriber = Arc::clone(&self.subscribers.entry(address.to_owned()).or_default());
        if subscriber.live.load().as_ref().is_some_and(|live| live.has_event(scope)) {
            return;
        }
        let mut not_before = subscriber.not_before.lock().await;
        if subscriber.live.load().as_ref().is_some_and(|live| live.has_event(scope))
            || not_before.is_some_and(|not_before| Instant::now() < not_before)
        {
            return;
        }
        let subscribing = timeout(self.settings.connect_timeout, self.subscribe_at(address, &subscriber, scope)).await;
        *not_before =
            match subscribing.unwrap_or_else(|_| Err(CallError::NotSent("the subscription timed out".to_owned()))) {
                Ok(()) => None,
                // The slot moved: the following read finds its server, the next one subscribes there. The connection stays for other events.
                Err(CallError::Moved(_)) => None,
                Err(error) => {
                    subscriber.live.store(None);
                    tracing::warn!(
                        organization = %scope.organization, event = %scope.event, slice = "ticketing", address, ?error,
                        "could not subscribe to the event's signals; its log is polled once a second"
                    );
                    Some(Instant::now() + jittered(RECONNECT_BACKOFF, &*self.environment))
                }
            };
    }

    async fn subscribe_at(
        &self,
        address: &str,
        subscriber: &Arc<Subscriber>,
        scope: EventScope,
    ) -> Result<(), CallError> {
        let known = subscriber.live.load_full();
        let live = match known {
            Some(live) => live,
            None => {
                let (received, weak) = (Arc::clone(&self.received), Arc::downgrade(subscriber));
                let on_push = move |push: PushInfo| -> Result<(), SendError> {
                    received.on_push(&weak, &push);
                    Ok(())
                };
                let connection = dial(address, &self.settings, on_push).await?;
                let live = Arc::new(LiveSubscriber { connection, events: DashMap::new() });
                subscriber.live.store(Some(Arc::clone(&live)));
                live
            }
        };
        let channel = channel(&self.settings.prefix, scope);
        cmd("SSUBSCRIBE").arg(channel).query_async::<Value>(&mut live.connection.clone()).await?;
        live.events.insert(scope, Instant::now());
        Ok(())
    }

    /// Cancels the subscriptions of events that were not read for [`IDLE_TIMEOUT`].
    pub(super) async fn unsubscribe_idle(&self) {
        let subscribers: Vec<_> =
            self.subscribers.iter().filter_map(|subscriber| subscriber.live.load_full()).collect();
        for live in subscribers {
            let idle: Vec<_> =
                live.events.iter().filter(|event| event.elapsed() > IDLE_TIMEOUT).map(|event| *event.key()).collect();
            for scope in idle {
                live.events.remove(&scope);
                self.received.newest.remove(&scope);
                let command = cmd("SUNSUBSCRIBE").arg(channel(&self.settings.prefix, scope)).to_owned();
                let mut connection = live.connection.clone();
                // A connection that does not reply is detected by the next subscription.
                let _ = timeout(self.settings.reply_timeout, command.query_async::<Value>(&mut connection)).await;
            }
        }
        // Positions of events without a subscription are outdated.
        let subscribers: Vec<_> =
            self.subscribers.iter().filter_map(|subscriber| subscriber.live.load_full()).collect();
        self.received.newest.retain(|scope, _| subscribers.iter().any(|live| live.events.contains_key(scope)));
    }
}

impl LiveSubscriber {
    fn has_event(&self, scope: EventScope) -> bool {
        self.events.get_mut(&scope).is_some_and(|mut read_at| {
            *read_at = Instant::now();
            true
        })
    }
}

impl Received {
    fn on_push(&self, subscriber: &Weak<Subscriber>, push: &PushInfo) {
        let event = |at: usize| match push.data.get(at) {
            Some(Value::BulkString(channel)) => scope_of(&self.prefix, channel, "moved"),
            _ => None,
        };
        match (&push.kind, event(0), push.data.get(1)) {
            (PushKind::SMessage, Some(scope), Some(Value::BulkString(position))) => {
                let position = std::str::from_utf8(position).ok().and_then(|position| position.parse().ok());
                if let Some(position) = position {
                    self.forward(scope, position);
                }
            }
            // The slot moved; the next read subscribes at its new server.
            (PushKind::SUnsubscribe, Some(scope), _) => {
                if let Some(live) = subscriber.upgrade().and_then(|subscriber| subscriber.live.load_full()) {
                    live.events.remove(&scope);
                }
            }
            (PushKind::Disconnection, ..) => {
                if let Some(live) = subscriber.upgrade().and_then(|subscriber| subscriber.live.swap(None)) {
                    // A signal makes the followers read these events, which subscribes them again.
                    for event in &live.events {
                        let position = self.newest.get(event.key()).map(|newest| *newest).unwrap_or_default();
                        let _ = self.moved.send(InventorySignal { scope: *event.key(), position });
                    }
                }
            }
            _ => {}
        }
    }

    /// Forwards each position of an event once and in order, also while two servers send signals of the event.
    fn forward(&self, scope: EventScope, position: Position) {
        let mut newest = self.newest.entry(scope).or_default();
        if *newest < position {
            *newest = position;
            // An error only means that no follower is subscribed.
            let _ = self.moved.send(InventorySignal { scope, position });
        }
    }
}

fn channel(prefix: &str, scope: EventScope) -> String {
    base(prefix, scope) + "moved"
}
