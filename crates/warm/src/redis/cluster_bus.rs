//! Implements the cluster bus by Redis pub/sub: publishes at any master (a cluster forwards to all its servers), receives on a connection of its own.
//!
//! Never: stored or replayed; a message reaches only the subscribers of that moment.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use redis::{PushInfo, PushKind, Value, cmd};
use tokio::sync::mpsc;
use tokio::time::timeout;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage, ClusterMessages};
use voelgoed_telemetry::metrics::cold::row_unreadable;

use super::RedisWarm;
use super::error::CallError;
use super::server::dial;

/// Messages queued for a slow subscriber; beyond that number its subscription ends, and it must subscribe again.
const QUEUED_MAX: usize = 4096;

#[async_trait]
impl ClusterBus for RedisWarm {
    async fn publish(&self, message: &ClusterMessage) -> StoreResult<()> {
        let text = serde_json::to_vec(message).map_err(Fault::internal)?;
        let command = cmd("PUBLISH").arg(self.channel()).arg(text).to_owned();
        let mut fault = Fault::unavailable(Dependency::Warm, "no server is known");
        for server in self.router.masters().await {
            match server.send_command(&command).await {
                Ok(_) => return Ok(()),
                Err(error) => fault = error.into(),
            }
        }
        Err(fault)
    }

    async fn subscribe(&self) -> StoreResult<ClusterMessages> {
        let mut fault = Fault::unavailable(Dependency::Warm, "no server is known");
        for server in self.router.masters().await {
            match timeout(self.settings.connect_timeout * 2, self.subscribe_at(&server.address)).await {
                Ok(Ok(messages)) => return Ok(messages),
                Ok(Err(error)) => fault = error.into(),
                Err(_) => fault = Fault::unavailable(Dependency::Warm, "the subscription timed out"),
            }
        }
        Err(fault)
    }
}

impl RedisWarm {
    fn channel(&self) -> String {
        format!("{}:notices", self.settings.prefix)
    }

    async fn subscribe_at(&self, address: &str) -> Result<ClusterMessages, CallError> {
        let (sender, received) = mpsc::channel(QUEUED_MAX);
        let sender = Mutex::new(Some(sender));
        let on_push = move |push: PushInfo| {
            let mut sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
            let is_lost = match message_of(&push) {
                Some(message) => sender.as_ref().is_some_and(|sender| sender.try_send(message).is_err()),
                None => push.kind == PushKind::Disconnection,
            };
            if is_lost {
                *sender = None;
            }
            Ok(())
        };
        let mut connection = dial(address, &self.settings, on_push).await?;
        cmd("SUBSCRIBE").arg(self.channel()).query_async::<Value>(&mut connection).await?;
        Ok(ClusterMessages { receiver: received, guard: Box::new(connection) })
    }
}

fn message_of(push: &PushInfo) -> Option<ClusterMessage> {
    match (&push.kind, push.data.as_slice()) {
        (PushKind::Message, [_, Value::BulkString(text)]) => {
            serde_json::from_slice(text).inspect_err(|error| row_unreadable("bulletin", error)).ok()
        }
        _ => None,
    }
}
