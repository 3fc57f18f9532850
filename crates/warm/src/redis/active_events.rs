//! Lists the events that may have work for a worker in sorted sets, so that workers read one list instead of all keys.
//!
//! A node lists an event before the step that leaves work there, at most once per [`LIST_INTERVAL`]. Never: the only source; a list can be lost with
//! its server, so workers still scan all keys every [`DISCOVER_INTERVAL`].

use std::time::Duration;

use redis::{Value, cmd};
use tokio::time::timeout;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::ticketing::ports::EventScope;

use super::RedisWarm;
use super::activity::{ActiveEvents, Activity};
use super::keys;

/// The interval at which a node lists an event again while steps continue.
const LIST_INTERVAL: Duration = Duration::from_secs(60);
/// The timeout of listing an event before a step; the next scan of all keys finds an event that was not listed.
const LIST_TIMEOUT: Duration = Duration::from_millis(200);
/// The interval of scans of all keys, for events of lost lists or of nodes with an older program.
pub(super) const DISCOVER_INTERVAL: Duration = Duration::from_secs(300);
/// An idle event is removed from its list after this time.
const LISTED_FOR: Duration = Duration::from_secs(2 * 3600);
/// Events that one read of a list returns, those listed longest ago first.
const READ_MAX: usize = 50_000;
/// Events that a node remembers to have listed; beyond that number events are listed again.
const REMEMBERED_MAX: usize = 20_000;

impl RedisWarm {
    fn list(&self, activity: Activity) -> String {
        format!("{}:active:{}", self.settings.prefix, activity.as_str())
    }

    fn now_seconds(&self) -> u64 {
        u64::try_from(self.environment.now().micros() / 1_000_000).unwrap_or(0)
    }

    /// Lists an event, unless this node did so within [`LIST_INTERVAL`] and `force` is false. A failure does not fail the step that follows.
    pub(super) async fn list_active(&self, activity: Activity, scope: EventScope, force: bool) {
        let key = (activity, scope);
        let now = self.now_seconds();
        let is_recent = |at: u64| now.abs_diff(at) < LIST_INTERVAL.as_secs();
        if !force && self.active.listed_at.get(&key).is_some_and(|at| is_recent(*at)) {
            return;
        }
        if self.active.listed_at.len() >= REMEMBERED_MAX {
            self.active.listed_at.retain(|_, at| is_recent(*at));
            if self.active.listed_at.len() >= REMEMBERED_MAX {
                self.active.listed_at.clear();
            }
        }
        self.active.listed_at.insert(key, now);
        let list = self.list(activity);
        let command = cmd("ZADD").arg(&list).arg(now).arg(keys::base("", scope)).to_owned();
        let adding = async {
            let server = self.router.server_of(&list).await?;
            server.send_command(&command).await
        };
        if !matches!(timeout(LIST_TIMEOUT, adding).await, Ok(Ok(_))) {
            tracing::debug!(event = %scope.event, activity = activity.as_str(), slice = "ticketing", "an event could not be listed");
        }
    }

    /// The listed events, except those without work since they were listed.
    pub(super) async fn active(&self, activity: Activity) -> StoreResult<Vec<EventScope>> {
        let list = self.list(activity);
        let server = self.router.server_of(&list).await.map_err(Fault::from)?;
        let command = cmd("ZRANGE").arg(&list).arg(0).arg(READ_MAX - 1).arg("WITHSCORES").to_owned();
        let listed = entries(server.send_command(&command).await?)?;
        let now = self.now_seconds();
        let (mut active, mut expired) = (Vec::with_capacity(listed.len()), Vec::new());
        let ActiveEvents { done_at, last_read, .. } = &self.active;
        last_read.retain(|(of, _), _| *of != activity);
        for (member, listed_at) in listed {
            let Some(scope) = keys::scope_of("", &member, "") else { continue };
            last_read.insert((activity, scope), listed_at);
            if done_at.get(&(activity, scope)).is_none_or(|done_at| *done_at != listed_at) {
                active.push(scope);
            } else if now.saturating_sub(listed_at) > LISTED_FOR.as_secs() {
                expired.push(member);
            }
        }
        done_at.retain(|key, _| key.0 != activity || last_read.contains_key(key));
        if !expired.is_empty() {
            server.send_command(cmd("ZREM").arg(&list).arg(expired)).await?;
        }
        Ok(active)
    }

    /// Skips an event until it is listed again. A recent list time is kept, because its step may still be in flight.
    pub(super) fn mark_done(&self, activity: Activity, scope: EventScope) {
        let key = (activity, scope);
        if let Some(listed_at) = self.active.last_read.get(&key).map(|listed_at| *listed_at)
            && self.now_seconds().saturating_sub(listed_at) > 2 * LIST_INTERVAL.as_secs()
        {
            self.active.done_at.insert(key, listed_at);
        }
    }
}

/// Members with their scores, in the reply format of RESP2 or RESP3.
fn entries(value: Value) -> StoreResult<Vec<(Vec<u8>, u64)>> {
    let unexpected = || Fault::internal("ZRANGE returned an unexpected shape");
    let Value::Array(parts) = value else { return Err(unexpected()) };
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
                let [member, found] = <[Value; 2]>::try_from(pair).map_err(|_| unexpected())?;
                (member, found)
            }
            member => (member, parts.next().ok_or_else(unexpected)?),
        };
        let Value::BulkString(member) = member else { return Err(unexpected()) };
        entries.push((member, score(found).ok_or_else(unexpected)?));
    }
    Ok(entries)
}
