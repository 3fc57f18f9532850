//! How many jobs stand how, and which are dead: for gauges and people.

use uuid::Uuid;
use voelgoed_app::jobs::ports::{LeasedJob, Queue, QueueDepth};
use voelgoed_domain::time::Timestamp;

use super::row::{Row, columns};
use crate::db::{Db, Result, Sql, System, binds, sql};

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
    concat!("select ", columns!(), " from jobs where dead_at is not null order by dead_at, id limit $1"),
);

pub(super) async fn depth(db: &Db, queue: Queue, now: Timestamp) -> Result<QueueDepth> {
    let found = db.fetch_optional::<(i64, i64, i64, i64)>(System::Jobs, DEPTH, binds![queue.as_str(), now]).await?;
    let (ready, leased, scheduled, dead) = found.unwrap_or_default();
    Ok(QueueDepth {
        ready: u64::try_from(ready)?,
        leased: u64::try_from(leased)?,
        scheduled: u64::try_from(scheduled)?,
        dead: u64::try_from(dead)?,
    })
}

pub(super) async fn dead(db: &Db, most: u32) -> Result<Vec<LeasedJob>> {
    let rows: Vec<Row> = db.fetch_all(System::Jobs, ALL_DEAD, binds![most]).await?;
    // Nobody holds a dead job: the token is the nil UUID, which fits none.
    Ok(rows.into_iter().map(|row| row.shown(Uuid::nil())).collect())
}
