//! Puts off jobs that this program cannot read, and lists them with those of kinds that it does not run.
//!
//! Never: an attempt counted, a job given up. A node that knows the job takes it when its time has come.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::jobs::ports::UnreadableJob;
use voelgoed_domain::ids::{JobId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, Result, Sql, System, Tx, binds, row, sql};

/// Before a job that could not be read is tried again.
const PAUSE: Duration = Duration::from_secs(60);

const PUT_OFF: Sql = sql(
    "jobs.put_off",
    "update jobs set run_at = $1, parked_at = coalesce(parked_at, $2), last_error = v.column2, lease = null, leased_until = null
     from (values {rows:2}) as v where jobs.id = v.column1",
);
const UNREADABLE: Sql = sql(
    "jobs.unreadable",
    "select id, organization_id, kind, run_at, parked_at is not null, last_error from jobs
     where dead_at is null and (parked_at is not null
       or (run_at <= $1 and kind not in (select v.column1 from (values {rows:1}) as v))) order by run_at, id limit $2",
);

/// Puts jobs off, each with the reason, in the transaction that found them.
pub(super) async fn put_off(tx: &mut Tx, unreadable: Vec<(Uuid, String)>, now: Timestamp) -> Result<()> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let rows = unreadable.into_iter().map(|(id, reason)| row![id, reason]).collect();
    tx.execute_rows(PUT_OFF, binds![now.plus(PAUSE), now], rows).await?;
    Ok(())
}

type Listed = (Uuid, Uuid, String, i64, bool, Option<String>);

pub(super) async fn unreadable(
    db: &Db,
    kinds: &[&'static str],
    now: Timestamp,
    most: u32,
) -> Result<Vec<UnreadableJob>> {
    let rows: Vec<Listed> = db.fetch_rows(System::Jobs, UNREADABLE, binds![now, most], known(kinds)).await?;
    let listed = |(id, organization, kind, run_at, is_parked, last_error): Listed| UnreadableJob {
        id: JobId::from_uuid(id),
        organization: (!organization.is_nil()).then(|| OrganizationId::from_uuid(organization)),
        reason: match last_error.filter(|_| is_parked) {
            Some(reason) => reason,
            None => format!("this program does not run jobs of kind `{kind}`"),
        },
        kind,
        run_at: Timestamp::from_micros(run_at),
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// The kinds as rows of a statement; without any, one that no job has.
pub(super) fn known(kinds: &[&'static str]) -> Vec<[crate::db::Value; 1]> {
    if kinds.is_empty() { vec![row![""]] } else { kinds.iter().map(|kind| row![*kind]).collect() }
}
