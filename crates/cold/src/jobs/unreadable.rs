//! Parks undecodable jobs, and lists them together with jobs of unknown kinds.
//!
//! Never: an attempt counted, a job given up. A node that can decode the job leases it once its pause has passed.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::jobs::ports::UnreadableJob;
use voelgoed_domain::ids::{JobId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, SystemRole, Tx, binds, row, sql};

const RETRY_INTERVAL: Duration = Duration::from_secs(60);

const PARK: Sql = sql(
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

/// Parks jobs with their reasons, in the transaction that found them.
pub(super) async fn park(tx: &mut Tx, unreadable: Vec<(Uuid, String)>, now: Timestamp) -> DbResult<()> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let rows = unreadable.into_iter().map(|(id, reason)| row![id, reason]).collect();
    tx.execute_rows(PARK, binds![now.plus(RETRY_INTERVAL), now], rows).await?;
    Ok(())
}

type UnreadableJobRow = (Uuid, Uuid, String, i64, bool, Option<String>);

pub(super) async fn unreadable(
    db: &Db,
    kinds: &[&'static str],
    now: Timestamp,
    limit: u32,
) -> DbResult<Vec<UnreadableJob>> {
    let rows: Vec<UnreadableJobRow> =
        db.fetch_rows(SystemRole::Jobs, UNREADABLE, binds![now, limit], kind_rows(kinds)).await?;
    let listed = |(id, organization, kind, run_at, is_parked, last_error): UnreadableJobRow| UnreadableJob {
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

/// The kinds as rows of a statement; an empty list becomes a kind that no job has.
pub(super) fn kind_rows(kinds: &[&'static str]) -> Vec<[crate::db::Value; 1]> {
    if kinds.is_empty() { vec![row![""]] } else { kinds.iter().map(|kind| row![*kind]).collect() }
}
