//! Leases due jobs, the oldest first, and renews leases.
//!
//! Leases only kinds that the runner knows. An undecodable row is parked and the rest of the batch leased. A job whose runners were lost in all of its
//! attempts is buried, so that it cannot crash every runner.

use uuid::Uuid;
use voelgoed_app::jobs::ports::{LeasedJob, Queue};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

use super::job_row::{JobRow, job_columns};
use super::unreadable::{kind_rows, park};
use crate::db::{Db, DbResult, Sql, SystemRole, binds, row, sql};

/// Checked on a reader first, because most rounds find nothing and need no write transaction.
const ANY_DUE: Sql = sql(
    "jobs.any",
    "select cast(1 as bigint) from jobs where queue = $1 and dead_at is null and run_at <= $2 and (leased_until is null or leased_until <= $2)
       and kind in (select v.column1 from (values {rows:1}) as v) limit 1",
);
const DUE: Sql = sql(
    "jobs.due",
    concat!(
        "select ",
        job_columns!(),
        " from jobs
         where queue = $1 and dead_at is null and run_at <= $2 and (leased_until is null or leased_until <= $2)
           and kind in (select v.column1 from (values {rows:1}) as v)
         order by run_at, id limit $3 {for_update} {skip_locked}"
    ),
);
const LEASE: Sql = sql(
    "jobs.lease",
    "update jobs set lease = $1, leased_until = $2, attempt = attempt + 1 from (values {rows:1}) as v where jobs.id = v.column1",
);
const BURY: Sql = sql(
    "jobs.bury",
    "update jobs set dead_at = $1, lease = null, leased_until = null, last_error = $2 from (values {rows:1}) as v where jobs.id = v.column1",
);
const RENEW: Sql = sql("jobs.renew", "update jobs set leased_until = $3 where id = $1 and lease = $2");

const RUNNERS_LOST: &str = "its runners were lost while it ran, as often as it has attempts";

/// The token of a new lease, its begin and its end.
pub(super) struct Lease {
    pub(super) token: Uuid,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
}

pub(super) async fn lease(
    db: &Db,
    queue: Queue,
    kinds: &[&'static str],
    limit: u32,
    lease: Lease,
) -> DbResult<Vec<LeasedJob>> {
    let Lease { token, now, until } = lease;
    let kinds = || kind_rows(kinds);
    let any = db.fetch_rows::<(i64,), 1>(SystemRole::Jobs, ANY_DUE, binds![queue.as_str(), now], kinds()).await?;
    if any.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin_unflushed(SystemRole::Jobs).await?;
    let due: Vec<JobRow> = tx.fetch_rows(DUE, binds![queue.as_str(), now, limit], kinds()).await?;
    let (used_up, due): (Vec<JobRow>, Vec<JobRow>) = due.into_iter().partition(|job| job.attempt >= job.max_attempts);
    let (mut leased, mut unreadable) = (Vec::with_capacity(due.len()), Vec::new());
    for job in due {
        let id = job.id;
        match (JobRow { attempt: job.attempt.saturating_add(1), ..job }).into_leased(token) {
            Ok(job) => leased.push(job),
            Err(error) => unreadable.push((id, error.to_string())),
        }
    }
    tx.execute_rows(BURY, binds![now, RUNNERS_LOST], used_up.iter().map(|job| row![job.id]).collect()).await?;
    tx.execute_rows(LEASE, binds![token, until], leased.iter().map(|job| row![job.id]).collect()).await?;
    park(&mut tx, unreadable, now).await?;
    tx.commit().await?;
    for job in used_up {
        tracing::error!(slice = "jobs", job = %JobId::from_uuid(job.id), kind = job.kind, error = RUNNERS_LOST, "a job is dead; a person must look");
    }
    Ok(leased)
}

pub(super) async fn renew(db: &Db, id: JobId, lease: Uuid, until: Timestamp) -> DbResult<bool> {
    let mut tx = db.begin_unflushed(SystemRole::Jobs).await?;
    let renewed = tx.execute(RENEW, binds![id, lease, until]).await?;
    tx.commit().await?;
    Ok(renewed == 1)
}
