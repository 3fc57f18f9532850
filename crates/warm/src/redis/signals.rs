//! How a node hears within milliseconds that an event moved, whoever moved it: sharded pub/sub, on a connection of its own per server.
//!
//! A hint, never the news: what happened is read from the event's log, and whoever follows an event looks at it once a second anyway, so a lost signal costs
//! time and nothing else. Pub/sub rather than a blocking `XREAD`: one connection serves any number of events and the list of them changes without
//! waking it. Never on the connection of the calls: a server that gives a slot away sends an unasked `sunsubscribe`, which the client would
//! take for the answer to the oldest call.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use dashmap::DashMap;
use redis::aio::{MultiplexedConnection, SendError};
use redis::{PushInfo, PushKind, Value, cmd};
use tokio::sync::{Mutex, broadcast};
use tokio::time::{Instant, timeout};
use voelgoed_app::environment::Environment;
use voelgoed_app::ticketing::ports::{EventScope, Moved};
use voelgoed_domain::ticketing::place::Position;

use super::error::CallError;
use super::keys::{base, scope_of};
use super::server::{dial, jittered};
use super::settings::RedisSettings;

/// Signals that a slow reader may miss before it is told that it lags; it then re-reads what it follows.
const SIGNALS: usize = 1024;
/// After a failed attempt to connect, signals go missing for about this long before the next.
const WAIT: Duration = Duration::from_secs(1);
/// An event that nobody read for so long is no longer listened to.
const IDLE: Duration = Duration::from_secs(900);

/// What this node listens to.
pub(super) struct Signals {
    settings: Arc<RedisSettings>,
    environment: Arc<dyn Environment>,
    heard: Arc<Heard>,
    lines: DashMap<String, Arc<Line>>,
}

/// What was heard, for all who follow events on this node.
struct Heard {
    prefix: String,
    moved: broadcast::Sender<Moved>,
    newest: DashMap<EventScope, Position>,
}

/// The connection to one server's signals.
#[derive(Default)]
struct Line {
    live: ArcSwapOption<Live>,
    next: Mutex<Option<Instant>>,
}

struct Live {
    connection: MultiplexedConnection,
    /// What is subscribed, and when it was last asked for.
    events: DashMap<EventScope, Instant>,
}

impl Signals {
    pub(super) fn new(settings: Arc<RedisSettings>, environment: Arc<dyn Environment>) -> Self {
        let prefix = settings.prefix.clone();
        let heard = Arc::new(Heard { prefix, moved: broadcast::channel(SIGNALS).0, newest: DashMap::new() });
        Self { settings, environment, heard, lines: DashMap::new() }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.heard.moved.subscribe()
    }

    /// Listens to an event at the server that has it, from before the next read on. Failing is no fault of the read.
    pub(super) async fn follow(&self, address: &str, scope: EventScope) {
        let line = Arc::clone(&self.lines.entry(address.to_owned()).or_default());
        if line.live.load().as_ref().is_some_and(|live| live.is_told(scope)) {
            return;
        }
        let mut next = line.next.lock().await;
        if line.live.load().as_ref().is_some_and(|live| live.is_told(scope))
            || next.is_some_and(|next| Instant::now() < next)
        {
            return;
        }
        let listening = timeout(self.settings.connect_within, self.listen(address, &line, scope)).await;
        *next = match listening.unwrap_or_else(|_| Err(CallError::NotSent("no answer in time".to_owned()))) {
            Ok(()) => None,
            // The slot went elsewhere: the read that follows learns where, the next one listens there. The line is well, others keep it.
            Err(CallError::Moved(_)) => None,
            Err(error) => {
                line.live.store(None);
                tracing::warn!(
                    organization = %scope.organization, event = %scope.event, slice = "ticketing", address, ?error,
                    "cannot hear the event's signals, its log is read once a second"
                );
                Some(Instant::now() + jittered(WAIT, &*self.environment))
            }
        };
    }

    async fn listen(&self, address: &str, line: &Arc<Line>, scope: EventScope) -> Result<(), CallError> {
        let known = line.live.load_full();
        let live = match known {
            Some(live) => live,
            None => {
                let (heard, weak) = (Arc::clone(&self.heard), Arc::downgrade(line));
                let hear = move |push: PushInfo| -> Result<(), SendError> {
                    heard.hear(&weak, &push);
                    Ok(())
                };
                let connection = dial(address, &self.settings, hear).await?;
                let live = Arc::new(Live { connection, events: DashMap::new() });
                line.live.store(Some(Arc::clone(&live)));
                live
            }
        };
        let channel = channel(&self.settings.prefix, scope);
        cmd("SSUBSCRIBE").arg(channel).query_async::<Value>(&mut live.connection.clone()).await?;
        live.events.insert(scope, Instant::now());
        Ok(())
    }

    /// Stops listening to what nobody reads any more.
    pub(super) async fn forget_idle(&self) {
        let lines: Vec<_> = self.lines.iter().filter_map(|line| line.live.load_full()).collect();
        for live in lines {
            let idle: Vec<_> =
                live.events.iter().filter(|event| event.elapsed() > IDLE).map(|event| *event.key()).collect();
            for scope in idle {
                live.events.remove(&scope);
                self.heard.newest.remove(&scope);
                let command = cmd("SUNSUBSCRIBE").arg(channel(&self.settings.prefix, scope)).to_owned();
                let mut connection = live.connection.clone();
                // A connection that does not answer is noticed by the next who listens.
                let _ = timeout(self.settings.answer_within, command.query_async::<Value>(&mut connection)).await;
            }
        }
        // What was heard on connections that have ended is of no use to the next one.
        let lines: Vec<_> = self.lines.iter().filter_map(|line| line.live.load_full()).collect();
        self.heard.newest.retain(|scope, _| lines.iter().any(|live| live.events.contains_key(scope)));
    }
}

impl Live {
    fn is_told(&self, scope: EventScope) -> bool {
        self.events.get_mut(&scope).is_some_and(|mut asked| {
            *asked = Instant::now();
            true
        })
    }
}

impl Heard {
    fn hear(&self, line: &Weak<Line>, push: &PushInfo) {
        let event = |at: usize| match push.data.get(at) {
            Some(Value::BulkString(channel)) => scope_of(&self.prefix, channel, "moved"),
            _ => None,
        };
        match (&push.kind, event(0), push.data.get(1)) {
            (PushKind::SMessage, Some(scope), Some(Value::BulkString(position))) => {
                let position = std::str::from_utf8(position).ok().and_then(|position| position.parse().ok());
                if let Some(position) = position {
                    self.pass_on(scope, position);
                }
            }
            // The slot went elsewhere; the next read listens there.
            (PushKind::SUnsubscribe, Some(scope), _) => {
                if let Some(live) = line.upgrade().and_then(|line| line.live.load_full()) {
                    live.events.remove(&scope);
                }
            }
            (PushKind::Disconnection, ..) => {
                if let Some(live) = line.upgrade().and_then(|line| line.live.swap(None)) {
                    // Whoever follows these events reads them, and listens anew with that.
                    for event in &live.events {
                        let position = self.newest.get(event.key()).map(|newest| *newest).unwrap_or_default();
                        let _ = self.moved.send(Moved { scope: *event.key(), position });
                    }
                }
            }
            _ => {}
        }
    }

    /// Signals of an event come in its order, each once, also while two servers tell of it.
    fn pass_on(&self, scope: EventScope, position: Position) {
        let mut newest = self.newest.entry(scope).or_default();
        if *newest < position {
            *newest = position;
            // Nobody listening is no fault.
            let _ = self.moved.send(Moved { scope, position });
        }
    }
}

fn channel(prefix: &str, scope: EventScope) -> String {
    base(prefix, scope) + "moved"
}
