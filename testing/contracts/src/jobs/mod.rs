//! Contract tests of `JobStore`: due jobs in order, leases that fence, one live job per key, one claim per occurrence (P8).

mod leases;
mod outcomes;
mod random_commands;
mod scheduling;

use std::time::Duration;

pub use leases::*;
pub use outcomes::*;
pub use random_commands::random_job_commands_match_the_model;
pub use scheduling::*;
use serde_json::json;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, NewJob, Queue, QueueDepth};

use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! job_store_suite {
    ($open:expr) => {
        $crate::cases! { jobs, $open;
            due_jobs_are_leased_oldest_first_and_once
            job_is_leased_from_its_own_queue_only
            lapsed_lease_is_due_again_and_fenced
            renewed_lease_lasts_until_its_new_end
            each_outcome_sets_the_next_state
            job_that_keeps_crashing_its_runner_is_buried
            second_live_job_with_a_key_is_dropped
            dead_job_is_revived_unless_its_key_was_reused
            scheduled_occurrence_is_claimed_once
            concurrent_runners_run_each_job_once
            queue_depth_counts_each_job_once
            enqueue_wakes_a_waiting_runner
            random_job_commands_match_the_model
        }
    };
}

const LEASE: Duration = Duration::from_secs(30);

/// The kinds that the runner of these cases knows.
const KINDS: [&str; 1] = ["test.kind"];

const SECOND: Duration = Duration::from_secs(1);

fn job(environment: &TestEnvironment) -> NewJob {
    NewJob {
        id: new_id(environment),
        organization: None,
        kind: "test.kind",
        queue: Queue::Upkeep,
        payload: json!({"n": 1, "text": "ä"}),
        run_at: environment.now(),
        unique_key: None,
        max_attempts: 3,
    }
}

async fn lease<S: JobStore>(sut: &Sut<S>, limit: u32) -> Vec<LeasedJob> {
    sut.store.lease(Queue::Upkeep, &KINDS, limit, sut.environment.now(), LEASE).await.unwrap()
}

async fn lease_one<S: JobStore>(sut: &Sut<S>) -> LeasedJob {
    let mut leased = lease(sut, 10).await;
    assert_eq!(leased.len(), 1);
    leased.remove(0)
}

async fn end<S: JobStore>(sut: &Sut<S>, job: &LeasedJob, end: JobEnd) -> bool {
    sut.store.end(job.id, job.lease, end, sut.environment.now()).await.unwrap()
}

async fn depth<S: JobStore>(sut: &Sut<S>) -> QueueDepth {
    sut.store.depth(Queue::Upkeep, sut.environment.now()).await.unwrap()
}
