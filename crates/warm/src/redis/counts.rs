//! Streams of counts on Redis: one per event in its slot, trimmed, read by a consumer group so that workers share it and take over from each other.
//!
//! Never: a blocking read, so no connection of its own: workers come by every few seconds.

use std::time::Duration;

use async_trait::async_trait;
use redis::Value;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, Counted, Counts, KEPT_FOR, MOST_KEPT};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call};

use super::active::Activity;
use super::error::CallError;
use super::inventory::RedisWarm;
use super::scripts::{self, Script};
use super::server::Call;
use super::{keys, reply, request};

impl RedisWarm {
    /// Runs a script that is beside the event's state, loaded or not.
    async fn beside(&self, scope: EventScope, script: &'static Script, args: Vec<Vec<u8>>) -> StoreResult<Value> {
        let watch = Stopwatch::start();
        let key = keys::base(&self.settings.prefix, scope);
        let mut all = vec![Vec::new()];
        all.extend(args);
        let call = Call { script, key: &key, args: &all, within: self.settings.answer_within };
        let answer = self.router.call(&call).await;
        warm_call(script.name, if answer.is_ok() { CallEnd::Done } else { CallEnd::Failed }, watch.elapsed());
        answer.map_err(|error| match error {
            CallError::Lost(detail) if !script.writes => Fault::away(Dependency::Warm, detail),
            other => other.into(),
        })
    }
}

#[async_trait]
impl CountStream for RedisWarm {
    async fn append(&self, scope: EventScope, minute: Timestamp, counts: Counts) -> StoreResult<()> {
        let args = vec![
            request::number(minute.micros()),
            request::number(counts.viewed),
            request::number(counts.held),
            request::number(counts.refused),
            request::number(MOST_KEPT),
            request::number(KEPT_FOR.as_millis()),
        ];
        self.list_active(Activity::Counts, scope, false).await;
        self.beside(scope, &scripts::APPEND_COUNTS, args).await.map(drop)
    }

    async fn take(&self, scope: EventScope, reader: Uuid, most: usize, idle: Duration) -> StoreResult<Vec<Counted>> {
        let reader = reader.simple().to_string().into_bytes();
        let args = vec![reader, request::number(idle.as_millis()), request::number(most)];
        let taken = reply::counted(self.beside(scope, &scripts::TAKE_COUNTS, args).await?)?;
        if taken.is_empty() {
            // Either nothing is left, or other workers have it.
            self.finish(scope, &[]).await?;
        }
        Ok(taken)
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        self.active(Activity::Counts).await
    }

    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64> {
        let args = ids.iter().map(|id| id.clone().into_bytes()).collect();
        let left = reply::number(&self.beside(scope, &scripts::FINISH_COUNTS, args).await?)?;
        if left == 0 {
            self.emptied(Activity::Counts, scope);
        }
        Ok(left)
    }
}
