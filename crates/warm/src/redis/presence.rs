//! Implements the presence port: stores the viewers per event and node in a Redis hash that expires when no node reports.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::ticketing::ports::{EventScope, InventoryError};

use super::RedisWarm;
use super::{function_library, reply, request};

#[async_trait]
impl Presence for RedisWarm {
    async fn report(&self, scope: EventScope, node: Uuid, viewers: u32, lasts: Duration) -> StoreResult<u64> {
        let args = vec![node.as_bytes().to_vec(), request::number(viewers), request::number(lasts.as_millis())];
        match self.run(scope, &function_library::REPORT_VIEWERS, args).await {
            Ok(value) => reply::number(&value),
            Err(InventoryError::Fault(fault)) => Err(fault),
            Err(other) => Err(Fault::internal(other)),
        }
    }
}
