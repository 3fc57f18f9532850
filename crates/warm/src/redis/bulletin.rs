//! Word between nodes by Redis' pub/sub: told at any master (a cluster passes it on to all of its servers), heard on a connection of its own.
//!
//! Never kept: who does not listen at that moment has missed it.

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

/// ClusterMessages that wait for a slow listener; beyond it, it must listen anew.
const WAITING: usize = 4096;

#[async_trait]
impl ClusterBus for RedisWarm {
    async fn tell(&self, notice: &ClusterMessage) -> StoreResult<()> {
        let text = serde_json::to_vec(notice).map_err(Fault::internal)?;
        let command = cmd("PUBLISH").arg(self.notices()).arg(text).to_owned();
        let mut fault = Fault::away(Dependency::Warm, "no server is known");
        for server in self.router.masters().await {
            match server.ask(&command).await {
                Ok(_) => return Ok(()),
                Err(error) => fault = error.into(),
            }
        }
        Err(fault)
    }

    async fn listen(&self) -> StoreResult<ClusterMessages> {
        let mut fault = Fault::away(Dependency::Warm, "no server is known");
        for server in self.router.masters().await {
            match timeout(self.settings.connect_within * 2, self.listen_at(&server.address)).await {
                Ok(Ok(notices)) => return Ok(notices),
                Ok(Err(error)) => fault = error.into(),
                Err(_) => fault = Fault::away(Dependency::Warm, "no answer in time"),
            }
        }
        Err(fault)
    }
}

impl RedisWarm {
    fn notices(&self) -> String {
        format!("{}:notices", self.settings.prefix)
    }

    async fn listen_at(&self, address: &str) -> Result<ClusterMessages, CallError> {
        let (sender, heard) = mpsc::channel(WAITING);
        let sender = Mutex::new(Some(sender));
        let hear = move |push: PushInfo| {
            let mut sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
            let lost = match notice(&push) {
                Some(notice) => sender.as_ref().is_some_and(|sender| sender.try_send(notice).is_err()),
                None => push.kind == PushKind::Disconnection,
            };
            if lost {
                *sender = None;
            }
            Ok(())
        };
        let mut connection = dial(address, &self.settings, hear).await?;
        cmd("SUBSCRIBE").arg(self.notices()).query_async::<Value>(&mut connection).await?;
        Ok(ClusterMessages { heard, keep: Box::new(connection) })
    }
}

fn notice(push: &PushInfo) -> Option<ClusterMessage> {
    match (&push.kind, push.data.as_slice()) {
        (PushKind::Message, [_, Value::BulkString(text)]) => {
            serde_json::from_slice(text).inspect_err(|error| row_unreadable("bulletin", error)).ok()
        }
        _ => None,
    }
}
