//! Defines a schedule: a name, a period, and the job that each occurrence enqueues.
//!
//! To add a schedule: next to the handler of its job, and its line in `wiring/job_registry.rs` of the binary.

use std::time::Duration;

use serde_json::Value;
use voelgoed_domain::time::Timestamp;

use super::ports::{NewJob, Queue};
use crate::environment::{Environment, new_id};

/// A job that is enqueued periodically. It takes no input, is constant work, and never dies: its next occurrence tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The name in the store; another name starts another period.
    pub name: &'static str,
    /// From one occurrence to the next.
    pub period: Duration,
    /// The kind of its jobs.
    pub kind: &'static str,
    /// The queue of its jobs.
    pub queue: Queue,
}

impl Schedule {
    /// The job of an occurrence. Its unique key drops it while the previous occurrence's job is alive.
    #[must_use]
    pub fn job(&self, environment: &dyn Environment, now: Timestamp) -> NewJob {
        NewJob {
            id: new_id(environment),
            organization: None,
            kind: self.kind,
            queue: self.queue,
            payload: Value::Null,
            run_at: now,
            unique_key: Some(format!("schedule:{}", self.name)),
            // The largest number that every store can keep.
            max_attempts: i32::MAX as u32,
        }
    }
}
