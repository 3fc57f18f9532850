//! Lists the events that may have something to do, so that workers ask those few instead of scanning all keys or calling a script for every event.
//!
//! A node lists an event before the step that leaves something to do there, at most once per [`NOTE_INTERVAL`]. Never the truth: a list may be lost with
//! its server, so workers still look at all keys every [`DISCOVER_INTERVAL`].

use std::time::Duration;

use dashmap::DashMap;
use redis::{Value, cmd};
use tokio::time::timeout;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::ticketing::ports::EventScope;

use super::RedisWarm;
use super::keys;

/// An event that goes on is listed anew by a node this often.
const NOTE_INTERVAL: Duration = Duration::from_secs(60);
/// A step waits for its note no longer than this; the next look at all keys finds what was not noted.
const NOTE_TIMEOUT: Duration = Duration::from_millis(200);
/// All keys are looked at this often, for events that only nodes of an older program or lost lists know.
pub(super) const DISCOVER_INTERVAL: Duration = Duration::from_secs(300);
/// An event in which nothing was left to do and that nobody noted for so long is taken off its list.
const LISTED_FOR: Duration = Duration::from_secs(2 * 3600);
/// The most events of a list that one look takes, those that were noted longest ago first.
const LISTED_MAX: usize = 50_000;
/// The most notes that a node remembers; beyond it events are noted anew.
const NOTES_MAX: usize = 20_000;

/// What there may be to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Activity {
    /// Holds that lapse.
    Holds,
    /// Scans that wait for cold.
    Scans,
    /// Counts that wait for cold.
    Counts,
}

impl Activity {
    pub(super) const ALL: &'static [Self] = &[Self::Holds, Self::Scans, Self::Counts];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Scans => "scans",
            Self::Counts => "counts",
        }
    }
}

/// What a node remembers of the lists.
#[derive(Default)]
pub(super) struct ActiveEvents {
    /// When this node listed an event (in seconds).
    noted: DashMap<(Activity, EventScope), u64>,
    /// The note (in seconds) under which nothing was left to do in an event; a newer note asks for another look.
    emptied: DashMap<(Activity, EventScope), u64>,
    /// The notes (in seconds) of the list as it was read last.
    listed: DashMap<(Activity, EventScope), u64>,
}

impl RedisWarm {
    fn list(&self, activity: Activity) -> String {
        format!("{}:active:{}", self.settings.prefix, activity.as_str())
    }

    fn now_seconds(&self) -> u64 {
        u64::try_from(self.environment.now().micros() / 1_000_000).unwrap_or(0)
    }

    /// Lists an event, unless this node did so a moment ago. Failing is no fault of the step that follows.
    pub(super) async fn list_active(&self, activity: Activity, scope: EventScope, anew: bool) {
        let key = (activity, scope);
        let now = self.now_seconds();
        let is_recent = |at: u64| now.abs_diff(at) < NOTE_INTERVAL.as_secs();
        if !anew && self.active.noted.get(&key).is_some_and(|at| is_recent(*at)) {
            return;
        }
        if self.active.noted.len() >= NOTES_MAX {
            self.active.noted.retain(|_, at| is_recent(*at));
            if self.active.noted.len() >= NOTES_MAX {
                self.active.noted.clear();
            }
        }
        self.active.noted.insert(key, now);
        let list = self.list(activity);
        let command = cmd("ZADD").arg(&list).arg(now).arg(keys::base("", scope)).to_owned();
        let noted = async {
            let server = self.router.serving(&list).await?;
            server.ask(&command).await
        };
        if !matches!(timeout(NOTE_TIMEOUT, noted).await, Ok(Ok(_))) {
            tracing::debug!(event = %scope.event, activity = activity.as_str(), slice = "ticketing", "an event could not be listed");
        }
    }

    /// The listed events, but for those in which nothing was left to do when they were looked at last.
    pub(super) async fn active(&self, activity: Activity) -> StoreResult<Vec<EventScope>> {
        let list = self.list(activity);
        let server = self.router.serving(&list).await.map_err(Fault::from)?;
        let command = cmd("ZRANGE").arg(&list).arg(0).arg(LISTED_MAX - 1).arg("WITHSCORES").to_owned();
        let listed = entries(server.ask(&command).await?)?;
        let now = self.now_seconds();
        let (mut active, mut over) = (Vec::with_capacity(listed.len()), Vec::new());
        let ActiveEvents { emptied, listed: known, .. } = &self.active;
        known.retain(|(of, _), _| *of != activity);
        for (member, noted) in listed {
            let Some(scope) = keys::scope_of("", &member, "") else { continue };
            known.insert((activity, scope), noted);
            if emptied.get(&(activity, scope)).is_none_or(|under| *under != noted) {
                active.push(scope);
            } else if now.saturating_sub(noted) > LISTED_FOR.as_secs() {
                over.push(member);
            }
        }
        emptied.retain(|key, _| key.0 != activity || known.contains_key(key));
        if !over.is_empty() {
            server.ask(cmd("ZREM").arg(&list).arg(over)).await?;
        }
        Ok(active)
    }

    /// Nothing is left to do in an event: it is not looked at again until it is noted anew. A note of a moment ago may announce a step to come.
    pub(super) fn emptied(&self, activity: Activity, scope: EventScope) {
        let key = (activity, scope);
        if let Some(noted) = self.active.listed.get(&key).map(|noted| *noted)
            && self.now_seconds().saturating_sub(noted) > 2 * NOTE_INTERVAL.as_secs()
        {
            self.active.emptied.insert(key, noted);
        }
    }
}

/// Members with their scores, in either form of the protocol.
fn entries(value: Value) -> StoreResult<Vec<(Vec<u8>, u64)>> {
    let odd = || Fault::internal("ZRANGE answered with something else");
    let Value::Array(parts) = value else { return Err(odd()) };
    let score = |value: Value| match value {
        Value::Double(score) if score >= 0.0 => Some(score as u64),
        Value::Int(score) => u64::try_from(score).ok(),
        Value::BulkString(text) => std::str::from_utf8(&text).ok()?.parse::<f64>().ok().map(|score| score as u64),
        _ => None,
    };
    let mut entries = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        let (member, found) = match part {
            Value::Array(pair) => {
                let [member, found] = <[Value; 2]>::try_from(pair).map_err(|_| odd())?;
                (member, found)
            }
            member => (member, parts.next().ok_or_else(odd)?),
        };
        let Value::BulkString(member) = member else { return Err(odd()) };
        entries.push((member, score(found).ok_or_else(odd)?));
    }
    Ok(entries)
}
