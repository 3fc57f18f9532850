//! Takes unresolved attempts of all organizations for a reconciler, each for one reconciler at a time, and counts them (system role).

use uuid::Uuid;
use voelgoed_app::payments::ports::{Attempt, UnresolvedPayments};
use voelgoed_domain::time::Timestamp;

use super::attempts::{AttemptRow, attempt_columns, attempts_with_orders};
use crate::db::{Db, DbResult, Sql, SystemRole, binds, row, sql};
use crate::decode_rows::decode_each;

const TAKE: Sql = sql(
    "payments.take_unresolved",
    "update payment_attempts set asked_at = $2
     where (organization_id, id) in
       (select organization_id, id from payment_attempts
        where state in ('created', 'pending', 'unknown') and asked_at < $1
        order by asked_at, id limit $3 {for_update} {skip_locked})
     returning organization_id, id",
);

const READ: Sql = sql(
    "payments.read_taken",
    concat!(
        "select ",
        attempt_columns!(),
        " from (values {rows:2}) as v cross join ",
        attempts_with_orders!(),
        " where a.organization_id = v.column1 and a.id = v.column2"
    ),
);

const COUNT: Sql = sql(
    "payments.count_unresolved",
    "select count(*) as count, min(created_at) as oldest from payment_attempts where state in ('created', 'pending', 'unknown')",
);

pub(super) async fn count(db: &Db) -> DbResult<UnresolvedPayments> {
    let counted: Option<(i64, Option<i64>)> = db.fetch_optional(SystemRole::Reconciler, COUNT, vec![]).await?;
    let (count, oldest) = counted.unwrap_or_default();
    Ok(UnresolvedPayments { count: u64::try_from(count)?, oldest: oldest.map(Timestamp::from_micros) })
}

pub(super) async fn take(db: &Db, before: Timestamp, now: Timestamp, limit: u32) -> DbResult<Vec<Attempt>> {
    let mut tx = db.begin(SystemRole::Reconciler).await?;
    let taken: Vec<(Uuid, Uuid)> = tx.fetch_all(TAKE, binds![before, now, limit]).await?;
    if taken.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let keys = taken.into_iter().map(|(organization, id)| row![organization, id]).collect();
    let rows: Vec<AttemptRow> = tx.fetch_rows(READ, vec![], keys).await?;
    tx.commit().await?;
    let mut attempts = decode_each("payment_attempts", rows, AttemptRow::attempt);
    attempts.sort_by_key(|attempt| (attempt.created_at, attempt.id));
    Ok(attempts)
}
