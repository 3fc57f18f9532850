//! Takes undelivered rows: of each aggregate the oldest ones without a gap, so that nobody can overtake.
//!
//! A row's `due_at` is both its lease and its pause: taking pushes it past the lease.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::outbox::fact::OutboxRow;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use super::body;
use crate::db::{Db, Error, Result, Sql, System, binds, row, sql};

/// Asked on a reader first: most rounds find nothing, and need not trouble the writer.
const ANY: Sql =
    sql("outbox.any", "select cast(1 as bigint) from outbox where delivered_at is null and due_at <= $1 limit 1");
/// `earlier` counts the undelivered rows before this one in its aggregate; none of them may be leased or paused.
const TAKE: Sql = sql(
    "outbox.take",
    "select o.id, o.organization_id, o.aggregate, o.version, o.body, o.at,
       (select count(*) from outbox e where e.organization_id = o.organization_id and e.aggregate = o.aggregate
          and e.delivered_at is null and (e.version, e.part, e.id) < (o.version, o.part, o.id)) as earlier
     from outbox o
     where o.delivered_at is null and o.due_at <= $1
       and not exists (select 1 from outbox e where e.organization_id = o.organization_id and e.aggregate = o.aggregate
          and e.delivered_at is null and e.due_at > $1 and (e.version, e.part, e.id) < (o.version, o.part, o.id))
     order by o.at, o.version, o.part, o.id limit $2 {for_update} {skip_locked}",
);
const LEASE: Sql =
    sql("outbox.lease", "update outbox set due_at = $1 from (values {rows:1}) as v where outbox.id = v.column1");

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    organization_id: Uuid,
    aggregate: Uuid,
    version: i64,
    body: String,
    at: i64,
    earlier: i64,
}

pub(super) async fn take(db: &Db, most: u32, now: Timestamp, lease: Duration) -> Result<Vec<OutboxRow>> {
    if db.fetch_optional::<(i64,)>(System::Relay, ANY, binds![now]).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin_unflushed(System::Relay).await?;
    let rows = without_gaps(tx.fetch_all(TAKE, binds![now, most]).await?);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|row| row![row.id]).collect();
    tx.execute_rows(LEASE, binds![now.plus(lease)], ids).await?;
    tx.commit().await?;
    rows.into_iter().map(outbox_row).collect()
}

/// Drops rows whose predecessor is not among those before it: it fell behind the limit, or another relay locks it.
fn without_gaps(rows: Vec<Row>) -> Vec<Row> {
    let mut kept = BTreeMap::<(Uuid, Uuid), i64>::new();
    let mut whole = Vec::with_capacity(rows.len());
    for row in rows {
        let before = kept.entry((row.organization_id, row.aggregate)).or_default();
        if *before == row.earlier {
            *before += 1;
            whole.push(row);
        }
    }
    whole
}

fn outbox_row(row: Row) -> Result<OutboxRow> {
    let fact = body::read(&row.body).map_err(|error| Error::internal(format!("outbox row {}: {error}", row.id)))?;
    Ok(OutboxRow {
        id: row.id,
        organization: OrganizationId::from_uuid(row.organization_id),
        aggregate: row.aggregate,
        version: u32::try_from(row.version)?,
        fact,
        at: Timestamp::from_micros(row.at),
    })
}
