//! Routes a call to the server that owns its key: the single server, or the master of the key's slot in the cluster.
//!
//! Never: waits for a failover; a call whose master is gone refreshes the slot map once and then fails. Own routing instead of the `redis` crate's cluster
//! client, because each call sends the run id of the server process that its connection leads to (`docs/adr/0008-scripts-check-the-server-run-id.md`).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use futures::future::select_ok;
use redis::{Value, cmd};
use tokio::sync::Mutex;
use tokio::time::Instant;
use voelgoed_app::environment::Environment;

use super::error::CallError;
use super::keys::slot;
use super::server::{Call, Server};
use super::settings::RedisSettings;

/// The shortest interval between two reads of the slot map.
const REFRESH_INTERVAL: Duration = Duration::from_millis(100);
/// How often one call follows a moved slot.
const REDIRECTS_MAX: usize = 3;

/// A range of slots and the address of its master.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SlotRange {
    first: u16,
    last: u16,
    master: String,
}

/// All servers that this node knows.
pub(super) struct Router {
    settings: Arc<RedisSettings>,
    environment: Arc<dyn Environment>,
    servers: DashMap<String, Arc<Server>>,
    ranges: ArcSwap<Vec<SlotRange>>,
    refreshed_at: Mutex<Option<Instant>>,
}

impl Router {
    pub(super) fn new(settings: Arc<RedisSettings>, environment: Arc<dyn Environment>) -> Self {
        let only = || settings.addresses.first().filter(|_| !settings.cluster).cloned();
        let ranges = only().map(|master| SlotRange { first: 0, last: u16::MAX, master }).into_iter().collect();
        Self {
            settings,
            environment,
            servers: DashMap::new(),
            ranges: ArcSwap::from_pointee(ranges),
            refreshed_at: Mutex::default(),
        }
    }

    /// Runs a function on the server that owns its key.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Value, CallError> {
        let mut server = self.server_of(call.key).await?;
        for _ in 0..REDIRECTS_MAX {
            match server.call(call).await {
                Err(CallError::Moved(to)) => {
                    self.refresh_slots().await;
                    server = self.server(&to);
                }
                Err(error @ (CallError::NotSent(_) | CallError::Refused(_))) if self.settings.cluster => {
                    self.refresh_slots().await;
                    let now = self.server_of(call.key).await?;
                    if Arc::ptr_eq(&now, &server) {
                        return Err(error);
                    }
                    server = now;
                }
                Err(error @ CallError::Lost(_)) => {
                    self.refresh_slots().await;
                    return Err(error);
                }
                result => return result,
            }
        }
        Err(CallError::Refused("the slot keeps moving".to_owned()))
    }

    /// The server that owns a key.
    pub(super) async fn server_of(&self, key: &str) -> Result<Arc<Server>, CallError> {
        let slot = slot(key);
        if self.ranges.load().is_empty() {
            self.refresh_slots().await;
        }
        let ranges = self.ranges.load();
        let range = ranges.iter().find(|range| (range.first..=range.last).contains(&slot));
        let range = range.ok_or_else(|| CallError::NotSent(format!("no server is known for slot {slot}")))?;
        Ok(self.server(&range.master))
    }

    /// Every server that owns slots.
    pub(super) async fn masters(&self) -> Vec<Arc<Server>> {
        if self.ranges.load().is_empty() {
            self.refresh_slots().await;
        }
        let mut addresses: Vec<_> = self.ranges.load().iter().map(|range| range.master.clone()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses.iter().map(|address| self.server(address)).collect()
    }

    fn server(&self, address: &str) -> Arc<Server> {
        if let Some(server) = self.servers.get(address) {
            return Arc::clone(&server);
        }
        let new = || Server::new(address.to_owned(), Arc::clone(&self.settings), Arc::clone(&self.environment));
        Arc::clone(&self.servers.entry(address.to_owned()).or_insert_with(new))
    }

    /// Reads the slot map from the first server that replies; a wrong entry is corrected by the next `MOVED`.
    async fn refresh_slots(&self) {
        if !self.settings.cluster {
            return;
        }
        let mut refreshed_at = self.refreshed_at.lock().await;
        if refreshed_at.is_some_and(|at| at.elapsed() < REFRESH_INTERVAL) {
            return;
        }
        *refreshed_at = Some(Instant::now());
        let mut known: Vec<_> = self.servers.iter().map(|entry| Arc::clone(entry.value())).collect();
        known.extend(self.settings.addresses.iter().map(|address| self.server(address)));
        let reads = known.into_iter().map(|server| Box::pin(async move { slots_of(&server).await }));
        match select_ok(reads).await {
            Ok((ranges, _)) => self.ranges.store(Arc::new(ranges)),
            Err(error) => tracing::warn!(?error, "no server of the warm tier returned the slot map"),
        }
    }
}

async fn slots_of(server: &Arc<Server>) -> Result<Vec<SlotRange>, CallError> {
    let reply = server.send_command(cmd("CLUSTER").arg("SLOTS")).await?;
    let ranges = read_slots(&reply, &server.address);
    ranges.filter(|ranges| !ranges.is_empty()).ok_or_else(|| CallError::Refused("the server owns no slots".to_owned()))
}

/// Parses `[[first, last, [host, port, …], …], …]`; an empty host means the queried server.
fn read_slots(reply: &Value, queried: &str) -> Option<Vec<SlotRange>> {
    let Value::Array(ranges) = reply else { return None };
    let number = |value: &Value| if let Value::Int(number) = value { u16::try_from(*number).ok() } else { None };
    let read = |range: &Value| {
        let Value::Array(parts) = range else { return None };
        let [first, last, Value::Array(master), ..] = parts.as_slice() else { return None };
        let [host, port, ..] = master.as_slice() else { return None };
        let host = match host {
            Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
            Value::SimpleString(host) if !host.is_empty() => host.clone(),
            _ => queried.rsplit_once(':')?.0.to_owned(),
        };
        Some(SlotRange { first: number(first)?, last: number(last)?, master: format!("{host}:{}", number(port)?) })
    };
    ranges.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_map_is_read_with_the_master_of_each_range() {
        let node = |host: &str, port| Value::Array(vec![Value::BulkString(host.into()), Value::Int(port)]);
        let reply = Value::Array(vec![
            Value::Array(vec![Value::Int(0), Value::Int(5460), node("10.0.0.1", 7000), node("10.0.0.2", 7001)]),
            Value::Array(vec![Value::Int(5461), Value::Int(16383), node("", 7002)]),
        ]);
        let range = |first, last, master: &str| SlotRange { first, last, master: master.to_owned() };
        let expected = vec![range(0, 5460, "10.0.0.1:7000"), range(5461, 16383, "h:7002")];
        assert_eq!(read_slots(&reply, "h:1"), Some(expected));
        assert_eq!(read_slots(&Value::Nil, "h:1"), None);
        assert_eq!(read_slots(&Value::Array(vec![Value::Int(1)]), "h:1"), None);
    }
}
