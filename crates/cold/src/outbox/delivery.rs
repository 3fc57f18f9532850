//! Marks taken outbox rows as delivered or postpones them, and counts the undelivered rows.

use std::collections::BTreeSet;

use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, SystemRole, binds, row, sql};

const DELIVERED: Sql = sql(
    "outbox.delivered",
    "update outbox set delivered_at = $1 from (values {rows:1}) as v where outbox.id = v.column1 and outbox.delivered_at is null",
);
const POSTPONE: Sql = sql(
    "outbox.postpone",
    "update outbox set due_at = case when format_due_at is null then $1 else due_at end,
       format_due_at = case when format_due_at is not null then $1 end
     from (values {rows:1}) as v where outbox.id = v.column1 and outbox.delivered_at is null",
);
const PENDING: Sql = sql("outbox.pending", "select count(*), min(at) from outbox where delivered_at is null");

pub(super) async fn delivered(db: &Db, ids: &[Uuid], now: Timestamp) -> DbResult<()> {
    mark(db, DELIVERED, ids, now).await
}

pub(super) async fn postpone(db: &Db, ids: &[Uuid], at: Timestamp) -> DbResult<()> {
    mark(db, POSTPONE, ids, at).await
}

async fn mark(db: &Db, statement: Sql, ids: &[Uuid], moment: Timestamp) -> DbResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin_unflushed(SystemRole::Relay).await?;
    // Sorted, because after the end of a lease two nodes may mark the same rows.
    let sorted: BTreeSet<Uuid> = ids.iter().copied().collect();
    tx.execute_rows(statement, binds![moment], sorted.into_iter().map(|id| row![id]).collect()).await?;
    tx.commit().await
}

pub(super) async fn pending(db: &Db, now: Timestamp) -> DbResult<(u64, u64)> {
    let found = db.fetch_optional::<(i64, Option<i64>)>(SystemRole::Relay, PENDING, vec![]).await?;
    let (rows, oldest) = found.unwrap_or_default();
    let age = oldest.map_or(0, |at| now.since(Timestamp::from_micros(at)).as_millis());
    Ok((u64::try_from(rows)?, u64::try_from(age)?))
}
