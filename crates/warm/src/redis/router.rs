//! Which server has an event: the only one, or the master of its slot in the cluster.
//!
//! Never waits for a failover: a call that finds its master gone looks for the new one once, then fails, and is soon right again. Own routing rather than the
//! crate's cluster client, because each call carries the run id of the process that its connection leads to.

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

/// The map of slots is asked for at most this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// So many times a call follows a slot that moved.
const MOST_MOVES: usize = 3;

/// A stretch of slots and the address of its master.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    first: u16,
    last: u16,
    master: String,
}

/// All servers that this node knows.
pub(super) struct Router {
    settings: Arc<RedisSettings>,
    environment: Arc<dyn Environment>,
    servers: DashMap<String, Arc<Server>>,
    stretches: ArcSwap<Vec<Stretch>>,
    looked: Mutex<Option<Instant>>,
}

impl Router {
    pub(super) fn new(settings: Arc<RedisSettings>, environment: Arc<dyn Environment>) -> Self {
        let only = || settings.addresses.first().filter(|_| !settings.cluster).cloned();
        let stretches = only().map(|master| Stretch { first: 0, last: u16::MAX, master }).into_iter().collect();
        Self {
            settings,
            environment,
            servers: DashMap::new(),
            stretches: ArcSwap::from_pointee(stretches),
            looked: Mutex::default(),
        }
    }

    /// Runs a script where its key lives.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Value, CallError> {
        let mut server = self.serving(call.key).await?;
        for _ in 0..MOST_MOVES {
            match server.call(call).await {
                Err(CallError::Moved(to)) => {
                    self.look_again().await;
                    server = self.server(&to);
                }
                Err(error @ (CallError::NotSent(_) | CallError::Refused(_))) if self.settings.cluster => {
                    self.look_again().await;
                    let now = self.serving(call.key).await?;
                    if Arc::ptr_eq(&now, &server) {
                        return Err(error);
                    }
                    server = now;
                }
                Err(error @ CallError::Lost(_)) => {
                    self.look_again().await;
                    return Err(error);
                }
                answer => return answer,
            }
        }
        Err(CallError::Refused("the slot keeps moving".to_owned()))
    }

    /// The server that has a key.
    pub(super) async fn serving(&self, key: &str) -> Result<Arc<Server>, CallError> {
        let slot = slot(key);
        if self.stretches.load().is_empty() {
            self.look_again().await;
        }
        let stretches = self.stretches.load();
        let stretch = stretches.iter().find(|stretch| (stretch.first..=stretch.last).contains(&slot));
        let stretch = stretch.ok_or_else(|| CallError::NotSent(format!("no server is known for slot {slot}")))?;
        Ok(self.server(&stretch.master))
    }

    /// Every server that has slots.
    pub(super) async fn masters(&self) -> Vec<Arc<Server>> {
        if self.stretches.load().is_empty() {
            self.look_again().await;
        }
        let mut addresses: Vec<_> = self.stretches.load().iter().map(|stretch| stretch.master.clone()).collect();
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

    /// Asks the cluster who has what; whoever answers first is believed, and put right by the next `MOVED`.
    async fn look_again(&self) {
        if !self.settings.cluster {
            return;
        }
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        *looked = Some(Instant::now());
        let mut known: Vec<_> = self.servers.iter().map(|entry| Arc::clone(entry.value())).collect();
        known.extend(self.settings.addresses.iter().map(|address| self.server(address)));
        let asked = known.into_iter().map(|server| Box::pin(async move { slots_of(&server).await }));
        match select_ok(asked).await {
            Ok((stretches, _)) => self.stretches.store(Arc::new(stretches)),
            Err(error) => tracing::warn!(?error, "no server of the warm tier says who has which slot"),
        }
    }
}

async fn slots_of(server: &Arc<Server>) -> Result<Vec<Stretch>, CallError> {
    let answer = server.ask(cmd("CLUSTER").arg("SLOTS")).await?;
    let stretches = read_slots(&answer, &server.address);
    stretches
        .filter(|stretches| !stretches.is_empty())
        .ok_or_else(|| CallError::Refused("it knows no slots".to_owned()))
}

/// `[[first, last, [host, port, …], …], …]`; an empty host is the one that was asked.
fn read_slots(answer: &Value, asked: &str) -> Option<Vec<Stretch>> {
    let Value::Array(stretches) = answer else { return None };
    let number = |value: &Value| if let Value::Int(number) = value { u16::try_from(*number).ok() } else { None };
    let read = |stretch: &Value| {
        let Value::Array(parts) = stretch else { return None };
        let [first, last, Value::Array(master), ..] = parts.as_slice() else { return None };
        let [host, port, ..] = master.as_slice() else { return None };
        let host = match host {
            Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
            Value::SimpleString(host) if !host.is_empty() => host.clone(),
            _ => asked.rsplit_once(':')?.0.to_owned(),
        };
        Some(Stretch { first: number(first)?, last: number(last)?, master: format!("{host}:{}", number(port)?) })
    };
    stretches.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read_with_their_masters() {
        let node = |host: &str, port| Value::Array(vec![Value::BulkString(host.into()), Value::Int(port)]);
        let answer = Value::Array(vec![
            Value::Array(vec![Value::Int(0), Value::Int(5460), node("10.0.0.1", 7000), node("10.0.0.2", 7001)]),
            Value::Array(vec![Value::Int(5461), Value::Int(16383), node("", 7002)]),
        ]);
        let stretch = |first, last, master: &str| Stretch { first, last, master: master.to_owned() };
        let expected = vec![stretch(0, 5460, "10.0.0.1:7000"), stretch(5461, 16383, "h:7002")];
        assert_eq!(read_slots(&answer, "h:1"), Some(expected));
        assert_eq!(read_slots(&Value::Nil, "h:1"), None);
        assert_eq!(read_slots(&Value::Array(vec![Value::Int(1)]), "h:1"), None);
    }
}
