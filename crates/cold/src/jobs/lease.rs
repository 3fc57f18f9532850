//! Leases due jobs, oldest first, and lengthens leases.
//!
//! Never: a job leased whose attempts are used up by runners that died in it; it is dead, so that it cannot take every runner with it.

use uuid::Uuid;
use voelgoed_app::jobs::ports::{LeasedJob, Queue};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::Bug;

use super::row::{Row, columns};
use crate::db::{Db, Result, Sql, System, binds, row, sql};

/// Asked on a reader first: most rounds find nothing, and need not trouble the writer.
const ANY: Sql = sql(
    "jobs.any",
    "select cast(1 as bigint) from jobs where queue = $1 and dead_at is null and run_at <= $2 and (leased_until is null or leased_until <= $2) limit 1",
);
const DUE: Sql = sql(
    "jobs.due",
    concat!(
        "select ",
        columns!(),
        " from jobs
         where queue = $1 and dead_at is null and run_at <= $2 and (leased_until is null or leased_until <= $2)
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

const LOST: &str = "its runners were lost while it ran, as often as it has attempts";

pub(super) async fn lease(
    db: &Db,
    queue: Queue,
    most: u32,
    now: Timestamp,
    until: Timestamp,
    token: Uuid,
) -> Result<Vec<LeasedJob>> {
    if db.fetch_optional::<(i64,)>(System::Jobs, ANY, binds![queue.as_str(), now]).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin_unflushed(System::Jobs).await?;
    let due: Vec<Row> = tx.fetch_all(DUE, binds![queue.as_str(), now, most]).await?;
    let (used_up, due): (Vec<Row>, Vec<Row>) = due.into_iter().partition(|job| job.attempt >= job.max_attempts);
    let ids = |rows: &[Row]| rows.iter().map(|job| row![job.id]).collect::<Vec<_>>();
    tx.execute_rows(BURY, binds![now, LOST], ids(&used_up)).await?;
    tx.execute_rows(LEASE, binds![token, until], ids(&due)).await?;
    tx.commit().await?;
    for job in used_up {
        tracing::error!(slice = "jobs", job = %JobId::from_uuid(job.id), kind = job.kind, error = LOST, "a job is dead; a person must look");
    }
    due.into_iter().map(|job| Row { attempt: job.attempt + 1, ..job }.leased(token)).collect()
}

pub(super) async fn renew(db: &Db, id: JobId, lease: Uuid, until: Timestamp) -> Result<bool> {
    let mut tx = db.begin_unflushed(System::Jobs).await?;
    let renewed = tx
        .execute(RENEW.planted(Bug::LeaseRenewedByAnyone, " and lease = $2", " and $2 = $2"), binds![id, lease, until])
        .await?;
    tx.commit().await?;
    Ok(renewed == 1)
}
