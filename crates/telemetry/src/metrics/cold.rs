//! Metrics of the cold tier: statements, accesses, the committer, the outbox, unreadable rows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use crate::Stopwatch;
use crate::family::Family;
use crate::metric::{BATCH, CALL, FAST, Label, Metric, SLOW, Unit, label_values};

const STATEMENT: Label = Label::open("statement");
const COMMITTER: Label = Label::open("committer");
const STORED_AS: Label = Label::open("stored_as");

/// Minimum time between two log lines about unreadable rows of one kind.
const UNREADABLE_LOG_INTERVAL: Duration = Duration::from_secs(60);
/// A statement that takes longer than this is counted and logged as slow.
pub const SLOW_STATEMENT: Duration = Duration::from_millis(100);

/// Statements.
pub const SQL_SECONDS: Metric = Metric::histogram(
    "cold",
    "voelgoed_sql_seconds",
    Unit::Seconds,
    FAST,
    &[STATEMENT],
    "Statements and short transactions by name.",
);
/// Slow statements.
pub const SQL_SLOW_TOTAL: Metric = Metric::counter(
    "cold",
    "voelgoed_sql_slow_total",
    &[STATEMENT],
    "Statements that took longer than 100 ms, each also a log line.",
);
/// Accesses.
pub const COLD_TOUCHES_TOTAL: Metric = Metric::counter(
    "cold",
    "voelgoed_cold_touches_total",
    &[ColdAccess::LABEL],
    "Accesses to the cold tier, by requests and by background work.",
);
/// Size of a batch.
pub const COMMITTER_BATCH_ROWS: Metric = Metric::histogram(
    "cold",
    "voelgoed_committer_batch_rows",
    Unit::Count,
    BATCH,
    &[COMMITTER],
    "Requests that shared one transaction.",
);
/// Duration of a flush.
pub const COMMITTER_FLUSH_SECONDS: Metric = Metric::histogram(
    "cold",
    "voelgoed_committer_flush_seconds",
    Unit::Seconds,
    CALL,
    &[COMMITTER],
    "Time of one shared transaction, commit included.",
);
/// Queued requests.
pub const COMMITTER_QUEUE: Metric = Metric::gauge(
    "cold",
    "voelgoed_committer_queue",
    Unit::Count,
    &[COMMITTER],
    "Requests queued for the next shared transaction.",
);
/// Requests that expired in the queue.
pub const COMMITTER_LATE_TOTAL: Metric = Metric::counter(
    "cold",
    "voelgoed_committer_late_total",
    &[COMMITTER],
    "Requests whose deadline passed while they waited for a shared transaction; nothing was written for them.",
);
/// Repeated batches.
pub const COMMITTER_REPEATS_TOTAL: Metric = Metric::counter(
    "cold",
    "voelgoed_committer_repeats_total",
    &[COMMITTER, BatchRepeat::LABEL],
    "Batches that were repeated: whole after a deadlock, one by one after a fault, or looked up after a lost commit.",
);
/// Outbox rows not relayed yet.
pub const OUTBOX_PENDING: Metric =
    Metric::gauge("cold", "voelgoed_outbox_pending", Unit::Count, &[], "Outbox rows that are not relayed yet.");
/// Age of the oldest of them.
pub const OUTBOX_OLDEST_SECONDS: Metric = Metric::gauge(
    "cold",
    "voelgoed_outbox_oldest_seconds",
    Unit::Seconds,
    &[],
    "Age of the oldest outbox row that is not relayed yet.",
);
/// Outbox rows relayed.
pub const OUTBOX_RELAYED_TOTAL: Metric =
    Metric::counter("cold", "voelgoed_outbox_relayed_total", &[], "Outbox rows relayed and marked.");
/// Delay of the relay.
pub const OUTBOX_LAG_SECONDS: Metric = Metric::histogram(
    "cold",
    "voelgoed_outbox_lag_seconds",
    Unit::Seconds,
    SLOW,
    &[],
    "Time from the commit of an outbox row to its relay.",
);
/// Outbox rows that cannot be read.
pub const OUTBOX_UNREADABLE: Metric = Metric::gauge(
    "cold",
    "voelgoed_outbox_unreadable",
    Unit::Count,
    &[],
    "Outbox rows that this node cannot read; later rows of their aggregates wait.",
);
/// Failed attempts to decode outbox rows.
pub const OUTBOX_PARKED_TOTAL: Metric = Metric::counter(
    "cold",
    "voelgoed_outbox_parked_total",
    &[],
    "Attempts to decode an outbox row that failed; the row is tried again with backoff.",
);
/// Rows and messages that could not be decoded.
pub const ROWS_UNREADABLE_TOTAL: Metric = Metric::counter(
    "cold",
    "voelgoed_rows_unreadable_total",
    &[STORED_AS],
    "Stored rows and messages that could not be decoded; the rest of their batch was processed.",
);

label_values! {
    /// The kind of an access.
    ColdAccess = "access" {
        /// A read.
        Read = "read",
        /// A write.
        Write = "write",
    }
}

label_values! {
    /// Why a batch was repeated.
    BatchRepeat = "repeat" {
        /// After a deadlock or serialization failure.
        Whole = "whole",
        /// After another error, each request in its own transaction.
        OneByOne = "one_by_one",
        /// After a connection was lost at commit.
        LookedUp = "looked_up",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[
    SQL_SECONDS,
    SQL_SLOW_TOTAL,
    COLD_TOUCHES_TOTAL,
    COMMITTER_BATCH_ROWS,
    COMMITTER_FLUSH_SECONDS,
    COMMITTER_QUEUE,
    COMMITTER_LATE_TOTAL,
    COMMITTER_REPEATS_TOTAL,
    OUTBOX_PENDING,
    OUTBOX_OLDEST_SECONDS,
    OUTBOX_RELAYED_TOTAL,
    OUTBOX_LAG_SECONDS,
    OUTBOX_UNREADABLE,
    OUTBOX_PARKED_TOTAL,
    ROWS_UNREADABLE_TOTAL,
];

static SQL: Family<Histogram, 1> = Family::of(&SQL_SECONDS);
static SQL_SLOW: Family<Counter, 1> = Family::of(&SQL_SLOW_TOTAL);
static TOUCHES: Family<Counter, 1> = Family::of(&COLD_TOUCHES_TOTAL);
static ROWS: Family<Histogram, 1> = Family::of(&COMMITTER_BATCH_ROWS);
static FLUSH: Family<Histogram, 1> = Family::of(&COMMITTER_FLUSH_SECONDS);
static LATE: Family<Counter, 1> = Family::of(&COMMITTER_LATE_TOTAL);
static QUEUE: Family<Gauge, 1> = Family::of(&COMMITTER_QUEUE);
static REPEATS: Family<Counter, 2> = Family::of(&COMMITTER_REPEATS_TOTAL);
static PENDING: Family<Gauge, 0> = Family::of(&OUTBOX_PENDING);
static OLDEST: Family<Gauge, 0> = Family::of(&OUTBOX_OLDEST_SECONDS);
static RELAYED: Family<Counter, 0> = Family::of(&OUTBOX_RELAYED_TOTAL);
static LAG: Family<Histogram, 0> = Family::of(&OUTBOX_LAG_SECONDS);
static OUTBOX_NOT_READ: Family<Gauge, 0> = Family::of(&OUTBOX_UNREADABLE);
static PARKED: Family<Counter, 0> = Family::of(&OUTBOX_PARKED_TOTAL);
static ROWS_NOT_READ: Family<Counter, 1> = Family::of(&ROWS_UNREADABLE_TOTAL);

/// Sets the number of outbox rows that this node cannot read.
pub fn outbox_unreadable(rows: u64) {
    OUTBOX_NOT_READ.at([], |gauge| gauge.set(rows as f64));
}

/// Adds outbox rows that failed to decode and were parked.
pub fn outbox_parked(rows: u64) {
    PARKED.at([], |counter| counter.increment(rows));
}

/// Counts and logs a row or message that could not be decoded; `stored_as` is its table or stream.
pub fn row_unreadable(stored_as: &'static str, error: &dyn std::fmt::Display) {
    ROWS_NOT_READ.at([stored_as], |counter| counter.increment(1));
    if log_is_due(stored_as) {
        tracing::error!(stored_as, %error, "a stored row cannot be decoded and was skipped; a newer version may decode it");
    }
}

/// True once per [`UNREADABLE_LOG_INTERVAL`] and kind of row.
fn log_is_due(stored_as: &'static str) -> bool {
    static LOGGED: Mutex<BTreeMap<&'static str, Stopwatch>> = Mutex::new(BTreeMap::new());
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    let due = logged.get(stored_as).is_none_or(|since| since.elapsed() >= UNREADABLE_LOG_INTERVAL);
    if due {
        logged.insert(stored_as, Stopwatch::start());
    }
    due
}

/// Records a statement or short transaction by name, and logs slow ones.
pub fn sql(statement: &'static str, took: Duration) {
    SQL.at([statement], |histogram| histogram.record(took));
    if took > SLOW_STATEMENT {
        SQL_SLOW.at([statement], |counter| counter.increment(1));
        tracing::warn!(statement, took_ms = took.as_millis() as u64, "slow statement");
    }
}

/// Counts an access; adapters call [`crate::touch::cold_read`] and [`crate::touch::cold_write`], which call this.
pub(crate) fn cold_accessed(access: ColdAccess) {
    TOUCHES.at([access.as_str()], |counter| counter.increment(1));
}

/// Records a shared transaction of `rows` requests.
pub fn committer_flushed(committer: &'static str, rows: usize, took: Duration) {
    ROWS.at([committer], |histogram| histogram.record(rows as f64));
    FLUSH.at([committer], |histogram| histogram.record(took));
}

/// Sets the number of requests queued for the next shared transaction.
pub fn committer_queue(committer: &'static str, waiting: usize) {
    QUEUE.at([committer], |gauge| gauge.set(waiting as f64));
}

/// Adds requests whose deadlines passed in the queue.
pub fn committer_late(committer: &'static str, requests: usize) {
    LATE.at([committer], |counter| counter.increment(requests as u64));
}

/// Counts a repeated batch.
pub fn committer_repeated(committer: &'static str, repeat: BatchRepeat) {
    REPEATS.at([committer, repeat.as_str()], |counter| counter.increment(1));
}

/// Sets the number of outbox rows not relayed yet, and the age of the oldest; the relay calls it in each round.
pub fn outbox_waiting(rows: u64, oldest: Duration) {
    PENDING.at([], |gauge| gauge.set(rows as f64));
    OLDEST.at([], |gauge| gauge.set(oldest));
}

/// Counts an outbox row that was relayed `lag` after its commit.
pub fn outbox_relayed(lag: Duration) {
    RELAYED.at([], |counter| counter.increment(1));
    LAG.at([], |histogram| histogram.record(lag));
}
