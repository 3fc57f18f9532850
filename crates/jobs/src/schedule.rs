//! What runs by the clock: one runner of all claims each occurrence in the store and enqueues its job.
//!
//! Never: an occurrence twice, or made up for after a pause. To add a schedule: one line in the binary's list.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::error::StoreResult;
use voelgoed_app::jobs::ports::{NewJob, Queue};
use voelgoed_domain::time::Timestamp;

use crate::runner::{Health, Runner};

/// A job that is enqueued by the clock. It takes no input, is constant work, and never dies: its next occurrence tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Its name in the store; changing it starts it anew.
    pub name: &'static str,
    /// From one occurrence to the next.
    pub period: Duration,
    /// The kind of its jobs.
    pub kind: &'static str,
    /// The queue of its jobs.
    pub queue: Queue,
}

impl Schedule {
    /// The job of an occurrence; while the one before it lives, this one is dropped by its unique key.
    #[must_use]
    pub fn job(&self, environment: &dyn Environment, now: Timestamp) -> NewJob {
        NewJob {
            id: fresh(environment),
            organization: None,
            kind: self.kind,
            queue: self.queue,
            payload: Value::Null,
            run_at: now,
            unique_key: Some(format!("schedule:{}", self.name)),
            // As large as every store can keep.
            max_attempts: i32::MAX as u32,
        }
    }
}

/// Claims occurrences until `stop`.
pub(crate) async fn keep(runner: &Runner, stop: &CancellationToken) {
    let mut health = Health::of("schedules");
    while !stop.is_cancelled() {
        health.note(claim_all(runner).await);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(runner.settings.poll_every) => {}
        }
    }
}

async fn claim_all(runner: &Runner) -> StoreResult<()> {
    for schedule in runner.registry.schedules() {
        let now = runner.environment.now();
        if runner.store.claim_schedule(schedule.name, schedule.period, now).await? {
            runner.store.enqueue(vec![schedule.job(&*runner.environment, now)]).await?;
        }
    }
    Ok(())
}
