//! Durable jobs: how many wait, run, died; how long they took.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use crate::family::Family;
use crate::metric::{Label, Metric, SLOW, Unit, label_values};

const KIND: Label = Label::open("kind");
const QUEUE: Label = Label::open("queue");
const REMAINS: Label = Label::open("remains");

/// Jobs in the store.
pub const JOBS_STORED: Metric = Metric::gauge(
    "jobs",
    "voelgoed_jobs_stored",
    Unit::Count,
    &[QUEUE, StoreResult::LABEL],
    "Jobs by queue that are ready, wait for their time, are leased to a worker, or are dead.",
);
/// Runs.
pub const JOBS_RUN_TOTAL: Metric =
    Metric::counter("jobs", "voelgoed_jobs_run_total", &[KIND, RunEnd::LABEL], "Runs of jobs by kind and outcome.");
/// Time of a run.
pub const JOB_SECONDS: Metric =
    Metric::histogram("jobs", "voelgoed_job_seconds", Unit::Seconds, SLOW, &[KIND], "Time of one run of a job.");
/// Time to start.
pub const JOB_WAIT_SECONDS: Metric = Metric::histogram(
    "jobs",
    "voelgoed_job_wait_seconds",
    Unit::Seconds,
    SLOW,
    &[KIND],
    "Time from when a job could run to when it did.",
);

/// Jobs that this node cannot run.
pub const JOBS_UNREADABLE: Metric = Metric::gauge(
    "jobs",
    "voelgoed_jobs_unreadable",
    Unit::Count,
    &[],
    "Due jobs of a kind that this node does not know, or whose payload it cannot read.",
);

/// Rows deleted because they were over.
pub const REMAINS_DELETED_TOTAL: Metric = Metric::counter(
    "jobs",
    "voelgoed_remains_deleted_total",
    &[REMAINS],
    "Rows deleted because they had been kept for as long as the settings say.",
);

label_values! {
    /// Where a job stands.
    StoreResult = "state" {
        /// It could run now.
        Ready = "ready",
        /// Its time has not come.
        Scheduled = "scheduled",
        /// A worker has it.
        Leased = "leased",
        /// It failed too often and waits for a person.
        Dead = "dead",
    }
}

label_values! {
    /// How a run ended.
    RunEnd = "outcome" {
        /// Done.
        Done = "done",
        /// To be tried again later.
        Retry = "retry",
        /// Put off without counting as a failure.
        Snoozed = "snoozed",
        /// No longer wanted.
        Cancelled = "cancelled",
        /// Given up.
        Dead = "dead",
        /// This program could not read what the job was given.
        Unreadable = "unreadable",
        /// Its lease had passed to another worker.
        LeaseLost = "lease_lost",
    }
}

/// The list.
pub const ALL: &[Metric] =
    &[JOBS_STORED, JOBS_RUN_TOTAL, JOB_SECONDS, JOB_WAIT_SECONDS, JOBS_UNREADABLE, REMAINS_DELETED_TOTAL];

static STORED: Family<Gauge, 2> = Family::of(&JOBS_STORED);
static RUNS: Family<Counter, 2> = Family::of(&JOBS_RUN_TOTAL);
static DURATION: Family<Histogram, 1> = Family::of(&JOB_SECONDS);
static DELETED: Family<Counter, 1> = Family::of(&REMAINS_DELETED_TOTAL);
static WAIT: Family<Histogram, 1> = Family::of(&JOB_WAIT_SECONDS);
static UNREADABLE: Family<Gauge, 0> = Family::of(&JOBS_UNREADABLE);

/// So many due jobs cannot be run by this node.
pub fn jobs_unreadable(jobs: u64) {
    UNREADABLE.at([], |gauge| gauge.set(jobs as f64));
}

/// Rows of one kind were deleted because they were over.
pub fn remains_deleted(remains: &str, rows: u64) {
    DELETED.at([remains], |counter| counter.increment(rows));
}

/// How many jobs of `queue` are in a state.
pub fn jobs_stored(queue: &str, state: StoreResult, jobs: u64) {
    STORED.at([queue, state.as_str()], |gauge| gauge.set(jobs as f64));
}

/// A run of a job begins, `waited` after it could have.
pub fn job_started(kind: &str, waited: Duration) {
    WAIT.at([kind], |histogram| histogram.record(waited));
}

/// A run of a job ended.
pub fn job_ended(kind: &str, end: RunEnd, took: Duration) {
    RUNS.at([kind, end.as_str()], |counter| counter.increment(1));
    DURATION.at([kind], |histogram| histogram.record(took));
}
