//! Takes undelivered outbox rows, of each aggregate the oldest without a gap, so that the events of an aggregate are delivered in order.
//!
//! A row's due time is both its lease and its pause: taking sets it to the end of the lease. The column is `due_at`, above format 1 `format_due_at`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::outbox::event::{OUTBOX_FORMAT_MAX, OutboxRow, TakenRows, UnreadableRow};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;

use super::event_body;
use super::unreadable::{Undecoded, park};
use crate::db::{Db, DbResult, Sql, SystemRole, binds, row, row_struct, sql};

/// Checked on a reader first, because most rounds find nothing and need no write transaction.
const ANY_DUE: Sql = sql(
    "outbox.any",
    "select cast(1 as bigint) from outbox where delivered_at is null and format <= $2 and coalesce(format_due_at, due_at) <= $1 limit 1",
);
/// `earlier` counts the undelivered rows before this one in its aggregate; none of them may be leased, paused or of a format that this program does not
/// read.
const TAKE: Sql = sql(
    "outbox.take",
    "select o.id, o.organization_id, o.aggregate, o.version, o.body, o.at, o.parked_count,
       (select count(*) from outbox e where e.organization_id = o.organization_id and e.aggregate = o.aggregate
          and e.delivered_at is null and (e.version, e.part, e.id) < (o.version, o.part, o.id)) as earlier
     from outbox o
     where o.delivered_at is null and o.format <= $3 and coalesce(o.format_due_at, o.due_at) <= $1
       and not exists (select 1 from outbox e where e.organization_id = o.organization_id and e.aggregate = o.aggregate
          and e.delivered_at is null and (e.format > $3 or coalesce(e.format_due_at, e.due_at) > $1) and (e.version, e.part, e.id) < (o.version, o.part, o.id))
     order by o.at, o.version, o.part, o.id limit $2 {for_update} {skip_locked}",
);
const LEASE: Sql = sql(
    "outbox.lease",
    "update outbox set due_at = case when format_due_at is null then $1 else due_at end,
       format_due_at = case when format_due_at is not null then $1 end
     from (values {rows:1}) as v where outbox.id = v.column1",
);

row_struct! {
    struct StoredEventRow {
        id: Uuid,
        organization_id: Uuid,
        aggregate: Uuid,
        version: i64,
        body: String,
        at: i64,
        parked_count: i64,
        earlier: i64,
    }
}

pub(super) async fn take(db: &Db, limit: u32, now: Timestamp, lease: Duration) -> DbResult<TakenRows> {
    if db.fetch_optional::<(i64,)>(SystemRole::Relay, ANY_DUE, binds![now, OUTBOX_FORMAT_MAX]).await?.is_none() {
        return Ok(TakenRows::default());
    }
    let mut tx = db.begin_unflushed(SystemRole::Relay).await?;
    let found = without_gaps(tx.fetch_all(TAKE, binds![now, limit, OUTBOX_FORMAT_MAX]).await?);
    if found.is_empty() {
        return Ok(TakenRows::default());
    }
    let (rows, undecoded) = decoded(found);
    if !rows.is_empty() {
        let ids = rows.iter().map(|row| row![row.id]).collect();
        tx.execute_rows(LEASE, binds![now.plus(lease)], ids).await?;
    }
    park(&mut tx, &undecoded, now).await?;
    tx.commit().await?;
    Ok(TakenRows { rows, parked: undecoded.into_iter().map(|it| it.row).collect() })
}

/// Decodes row by row. Rows of an aggregate behind an undecodable row are skipped: the parked row blocks them.
fn decoded(found: Vec<StoredEventRow>) -> (Vec<OutboxRow>, Vec<Undecoded>) {
    let (mut rows, mut undecoded) = (Vec::with_capacity(found.len()), Vec::new());
    let mut parked = BTreeSet::new();
    for row in found {
        let (id, aggregate, at, parked_count) = (row.id, row.aggregate, row.at, row.parked_count);
        let organization = row.organization_id;
        if parked.contains(&(organization, aggregate)) {
            continue;
        }
        match outbox_row(row) {
            Ok(row) => rows.push(row),
            Err(error) => {
                parked.insert((organization, aggregate));
                let (organization, at) = (OrganizationId::from_uuid(organization), Timestamp::from_micros(at));
                let reason = error.to_string();
                let row = UnreadableRow { id, organization, aggregate, at, reason, is_malformed: true };
                undecoded.push(Undecoded { row, parked_count });
            }
        }
    }
    (rows, undecoded)
}

/// Drops rows whose predecessor is missing: it is beyond the limit of the query, or locked by another relay.
fn without_gaps(rows: Vec<StoredEventRow>) -> Vec<StoredEventRow> {
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

fn outbox_row(row: StoredEventRow) -> DbResult<OutboxRow> {
    Ok(OutboxRow {
        id: row.id,
        organization: OrganizationId::from_uuid(row.organization_id),
        aggregate: row.aggregate,
        version: u32::try_from(row.version)?,
        outbox_event: event_body::read(&row.body)?,
        at: Timestamp::from_micros(row.at),
    })
}
