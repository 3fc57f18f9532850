//! Counts the jobs of a queue by state, and lists dead jobs for operators.

use uuid::Uuid;
use voelgoed_app::jobs::ports::{LeasedJob, Queue, QueueDepth};
use voelgoed_domain::time::Timestamp;

use super::job_row::{JobRow, job_columns};
use crate::db::{Db, DbResult, Sql, SystemRole, binds, sql};

const DEPTH: Sql = sql(
    "jobs.depth",
    "select count(*) filter (where dead_at is null and run_at <= $2 and (leased_until is null or leased_until <= $2)),
       count(*) filter (where dead_at is null and leased_until > $2),
       count(*) filter (where dead_at is null and run_at > $2 and (leased_until is null or leased_until <= $2)),
       count(*) filter (where dead_at is not null)
     from jobs where queue = $1",
);
const ALL_DEAD: Sql = sql(
    "jobs.all_dead",
    concat!("select ", job_columns!(), " from jobs where dead_at is not null order by dead_at, id limit $1"),
);

pub(super) async fn depth(db: &Db, queue: Queue, now: Timestamp) -> DbResult<QueueDepth> {
    let found = db.fetch_optional::<(i64, i64, i64, i64)>(SystemRole::Jobs, DEPTH, binds![queue.as_str(), now]).await?;
    let (ready, leased, scheduled, dead) = found.unwrap_or_default();
    Ok(QueueDepth {
        ready: u64::try_from(ready)?,
        leased: u64::try_from(leased)?,
        scheduled: u64::try_from(scheduled)?,
        dead: u64::try_from(dead)?,
    })
}

pub(super) async fn dead(db: &Db, limit: u32) -> DbResult<Vec<LeasedJob>> {
    let rows: Vec<JobRow> = db.fetch_all(SystemRole::Jobs, ALL_DEAD, binds![limit]).await?;
    // A dead job has no lease: the nil token matches none.
    Ok(rows.into_iter().map(|row| row.into_listed(Uuid::nil())).collect())
}
