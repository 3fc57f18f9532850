//! Metrics of durable jobs: stored by state, runs by outcome, durations, and rows that retention deletes.

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
    &[QUEUE, JobState::LABEL],
    "Jobs by queue that are ready, wait for their time, are leased to a worker, or are dead.",
);
/// Runs of jobs.
pub const JOBS_RUN_TOTAL: Metric =
    Metric::counter("jobs", "voelgoed_jobs_run_total", &[KIND, RunEnd::LABEL], "Runs of jobs by kind and outcome.");
/// Duration of a run.
pub const JOB_SECONDS: Metric =
    Metric::histogram("jobs", "voelgoed_job_seconds", Unit::Seconds, SLOW, &[KIND], "Time of one run of a job.");
/// Delay of a run.
pub const JOB_WAIT_SECONDS: Metric = Metric::histogram(
    "jobs",
    "voelgoed_job_wait_seconds",
    Unit::Seconds,
    SLOW,
    &[KIND],
    "Time from when a job was due to when its run began.",
);

/// Due jobs that this node cannot run.
pub const JOBS_UNREADABLE: Metric = Metric::gauge(
    "jobs",
    "voelgoed_jobs_unreadable",
    Unit::Count,
    &[],
    "Due jobs of a kind that this node does not know, or whose payload it cannot read.",
);

/// Rows deleted by retention.
pub const REMAINS_DELETED_TOTAL: Metric = Metric::counter(
    "jobs",
    "voelgoed_remains_deleted_total",
    &[REMAINS],
    "Rows deleted because their retention period is over.",
);

label_values! {
    /// The state of a job.
    JobState = "state" {
        /// Due.
        Ready = "ready",
        /// Due later.
        Scheduled = "scheduled",
        /// Leased to a worker.
        Leased = "leased",
        /// Failed too often; needs a person.
        Dead = "dead",
    }
}

label_values! {
    /// How a run ended.
    RunEnd = "outcome" {
        /// Done.
        Done = "done",
        /// Failed; due again later.
        Retry = "retry",
        /// Postponed, not counted as a failure.
        Snoozed = "snoozed",
        /// Cancelled by its handler.
        Cancelled = "cancelled",
        /// Failed for the last time.
        Dead = "dead",
        /// Its payload cannot be decoded.
        Unreadable = "unreadable",
        /// Another worker holds the lease.
        LeaseLost = "lease_lost",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] =
    &[JOBS_STORED, JOBS_RUN_TOTAL, JOB_SECONDS, JOB_WAIT_SECONDS, JOBS_UNREADABLE, REMAINS_DELETED_TOTAL];

static STORED: Family<Gauge, 2> = Family::of(&JOBS_STORED);
static RUNS: Family<Counter, 2> = Family::of(&JOBS_RUN_TOTAL);
static DURATION: Family<Histogram, 1> = Family::of(&JOB_SECONDS);
static DELETED: Family<Counter, 1> = Family::of(&REMAINS_DELETED_TOTAL);
static WAIT: Family<Histogram, 1> = Family::of(&JOB_WAIT_SECONDS);
static UNREADABLE: Family<Gauge, 0> = Family::of(&JOBS_UNREADABLE);

/// Sets the number of due jobs that this node cannot run.
pub fn jobs_unreadable(jobs: u64) {
    UNREADABLE.at([], |gauge| gauge.set(jobs as f64));
}

/// Adds deleted rows of one retention class.
pub fn remains_deleted(remains: &str, rows: u64) {
    DELETED.at([remains], |counter| counter.increment(rows));
}

/// Sets the number of jobs of `queue` in a state.
pub fn jobs_stored(queue: &str, state: JobState, jobs: u64) {
    STORED.at([queue, state.as_str()], |gauge| gauge.set(jobs as f64));
}

/// Records that a run begins `waited` after its job was due.
pub fn job_started(kind: &str, waited: Duration) {
    WAIT.at([kind], |histogram| histogram.record(waited));
}

/// Counts a run that ended.
pub fn job_ended(kind: &str, end: RunEnd, took: Duration) {
    RUNS.at([kind, end.as_str()], |counter| counter.increment(1));
    DURATION.at([kind], |histogram| histogram.record(took));
}
