//! Implements the count-stream port: one trimmed Redis stream per event, read through a consumer group so that workers reclaim entries of each other.
//!
//! Never: a blocking read, which would need a connection of its own; workers poll every few seconds.

use std::time::Duration;

use async_trait::async_trait;
use redis::Value;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{
    COUNT_STREAM_RETENTION, COUNTS_PER_STREAM_MAX, CountStream, StepCountEntry, StepCounts,
};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call};

use super::RedisWarm;
use super::activity::Activity;
use super::error::CallError;
use super::function_library::{self, RedisFunction};
use super::server::Call;
use super::{keys, reply, request};

impl RedisWarm {
    /// Runs a function that does not need the event to be loaded.
    async fn run_without_state(
        &self,
        scope: EventScope,
        function: &'static RedisFunction,
        args: Vec<Vec<u8>>,
    ) -> StoreResult<Value> {
        let stopwatch = Stopwatch::start();
        let key = keys::base(&self.settings.prefix, scope);
        let mut all = vec![Vec::new()];
        all.extend(args);
        let call = Call { function, key: &key, args: &all, timeout: self.settings.reply_timeout };
        let answer = self.router.call(&call).await;
        warm_call(function.name, if answer.is_ok() { CallEnd::Done } else { CallEnd::Failed }, stopwatch.elapsed());
        answer.map_err(|error| match error {
            CallError::Lost(detail) if !function.is_ambiguous_if_lost => Fault::unavailable(Dependency::Warm, detail),
            other => other.into(),
        })
    }
}

#[async_trait]
impl CountStream for RedisWarm {
    async fn append_counts(&self, scope: EventScope, minute: Timestamp, counts: StepCounts) -> StoreResult<()> {
        let args = vec![
            request::number(minute.micros()),
            request::number(counts.viewed),
            request::number(counts.held),
            request::number(counts.refused),
            request::number(COUNTS_PER_STREAM_MAX),
            request::number(COUNT_STREAM_RETENTION.as_millis()),
        ];
        self.list_active(Activity::Counts, scope, false).await;
        self.run_without_state(scope, &function_library::APPEND_COUNTS, args).await.map(drop)
    }

    async fn take(
        &self,
        scope: EventScope,
        reader: Uuid,
        entries_max: usize,
        idle: Duration,
    ) -> StoreResult<Vec<StepCountEntry>> {
        let reader = reader.simple().to_string().into_bytes();
        let args = vec![reader, request::number(idle.as_millis()), request::number(entries_max)];
        let taken = reply::counted(self.run_without_state(scope, &function_library::TAKE_COUNTS, args).await?)?;
        if taken.is_empty() {
            // The stream is empty, or other workers have taken its entries.
            self.finish(scope, &[]).await?;
        }
        Ok(taken)
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        self.active(Activity::Counts).await
    }

    async fn finish(&self, scope: EventScope, ids: &[String]) -> StoreResult<u64> {
        let args = ids.iter().map(|id| id.clone().into_bytes()).collect();
        let left = reply::number(&self.run_without_state(scope, &function_library::FINISH_COUNTS, args).await?)?;
        if left == 0 {
            self.mark_done(Activity::Counts, scope);
        }
        Ok(left)
    }
}
