//! Leases due jobs, oldest first, and lengthens leases.
//!
//! Never: a job of a kind that the runner does not know, a batch that fails because one of its rows cannot be read, a job leased whose attempts are used up by runners that died in it; it is dead, so that it cannot take every runner with it.

use uuid::Uuid;
use voelgoed_app::jobs::ports::{LeasedJob, Queue};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::Bug;

use super::row::{Row, columns};
use super::unreadable::{known, put_off};
use crate::db::{Db, Result, Sql, System, binds, row, sql};

/// Asked on a reader first: most rounds find nothing, and need not trouble the writer.
const ANY: Sql = sql(
    "jobs.any",
    "select cast(1 as bigint) from jobs where queue = $1 and dead_at is null and run_at <= $2 and (leased_until is null or leased_until <= $2)
       and kind in (select v.column1 from (values {rows:1}) as v) limit 1",
);
const DUE: Sql = sql(
    "jobs.due",
    concat!(
        "select ",
        columns!(),
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

const LOST: &str = "its runners were lost while it ran, as often as it has attempts";

/// The token of a lease and when it begins and ends.
pub(super) struct Lease {
    pub(super) token: Uuid,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
}

pub(super) async fn lease(
    db: &Db,
    queue: Queue,
    kinds: &[&'static str],
    most: u32,
    lease: Lease,
) -> Result<Vec<LeasedJob>> {
    let Lease { token, now, until } = lease;
    let kinds = || known(kinds);
    let any = db.fetch_rows::<(i64,), 1>(System::Jobs, ANY, binds![queue.as_str(), now], kinds()).await?;
    if any.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin_unflushed(System::Jobs).await?;
    let due: Vec<Row> = tx.fetch_rows(DUE, binds![queue.as_str(), now, most], kinds()).await?;
    let (used_up, due): (Vec<Row>, Vec<Row>) = due.into_iter().partition(|job| job.attempt >= job.max_attempts);
    let (mut leased, mut unreadable) = (Vec::with_capacity(due.len()), Vec::new());
    for job in due {
        let id = job.id;
        match (Row { attempt: job.attempt.saturating_add(1), ..job }).leased(token) {
            Ok(job) => leased.push(job),
            Err(error) => unreadable.push((id, error.to_string())),
        }
    }
    tx.execute_rows(BURY, binds![now, LOST], used_up.iter().map(|job| row![job.id]).collect()).await?;
    tx.execute_rows(LEASE, binds![token, until], leased.iter().map(|job| row![job.id]).collect()).await?;
    put_off(&mut tx, unreadable, now).await?;
    tx.commit().await?;
    for job in used_up {
        tracing::error!(slice = "jobs", job = %JobId::from_uuid(job.id), kind = job.kind, error = LOST, "a job is dead; a person must look");
    }
    Ok(leased)
}

pub(super) async fn renew(db: &Db, id: JobId, lease: Uuid, until: Timestamp) -> Result<bool> {
    let mut tx = db.begin_unflushed(System::Jobs).await?;
    let renewed = tx
        .execute(RENEW.planted(Bug::LeaseRenewedByAnyone, " and lease = $2", " and $2 = $2"), binds![id, lease, until])
        .await?;
    tx.commit().await?;
    Ok(renewed == 1)
}
