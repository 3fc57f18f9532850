//! Ends a leased job as its handler decided (done, retry, snooze, parked, dead), and revives dead jobs.
//!
//! Never: a change without the token of the current lease.

use uuid::Uuid;
use voelgoed_app::jobs::ports::JobEnd;
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, SystemRole, binds, sql};

const GONE: Sql = sql("jobs.gone", "delete from jobs where id = $1 and lease = $2");
const RETRY: Sql = sql(
    "jobs.retry",
    "update jobs set lease = null, leased_until = null, run_at = $3, last_error = $4, parked_at = null,
       dead_at = case when attempt >= max_attempts then cast($5 as bigint) end
     where id = $1 and lease = $2",
);
const SNOOZE: Sql = sql(
    "jobs.snooze",
    "update jobs set lease = null, leased_until = null, run_at = $3, attempt = attempt - 1, parked_at = null where id = $1 and lease = $2",
);
const PARK: Sql = sql(
    "jobs.park",
    "update jobs set lease = null, leased_until = null, run_at = $3, attempt = attempt - 1, last_error = $4, parked_at = coalesce(parked_at, $5)
     where id = $1 and lease = $2",
);
const DEAD: Sql = sql(
    "jobs.dead",
    "update jobs set lease = null, leased_until = null, last_error = $3, dead_at = $4 where id = $1 and lease = $2",
);
const REVIVE: Sql = sql(
    "jobs.revive",
    "update jobs set dead_at = null, attempt = 0, parked_at = null, run_at = $2 where id = $1 and dead_at is not null",
);

pub(super) async fn end(db: &Db, id: JobId, lease: Uuid, end: JobEnd, now: Timestamp) -> DbResult<bool> {
    let mut tx = db.begin_unflushed(SystemRole::Jobs).await?;
    let changed = match end {
        JobEnd::Done | JobEnd::Cancelled(_) => tx.execute(GONE, binds![id, lease]).await?,
        JobEnd::Retry { at, error } => tx.execute(RETRY, binds![id, lease, at, error, now]).await?,
        JobEnd::Snooze(at) => tx.execute(SNOOZE, binds![id, lease, at]).await?,
        JobEnd::Parked { until, reason } => tx.execute(PARK, binds![id, lease, until, reason, now]).await?,
        JobEnd::Dead(reason) => tx.execute(DEAD, binds![id, lease, reason, now]).await?,
    };
    tx.commit().await?;
    Ok(changed == 1)
}

pub(super) async fn revive(db: &Db, id: JobId, now: Timestamp) -> DbResult<bool> {
    let mut tx = db.begin(SystemRole::Jobs).await?;
    let revived = match tx.execute(REVIVE, binds![id, now]).await {
        // A newer job with the same key exists and replaces the dead one.
        Err(error) if error.is_unique_violation() => return Ok(false),
        revived => revived?,
    };
    tx.wake_jobs_after_commit();
    tx.commit().await?;
    Ok(revived == 1)
}
