//! Replays the answers of repeated requests, and finds the orders of a commit whose reply was lost.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::error::CommandError;
use voelgoed_app::idempotency::{ANSWER_RETENTION, IdempotencyKey, replay};
use voelgoed_app::sealing::Sealer;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};

use super::PlaceOrderResult;
use crate::db::{Db, DbError, DbResult, Sql, Tx, binds, row, row_struct, sql};
use crate::idempotency::{is_current, open_record};

/// `cross join` makes SQLite start from the given rows instead of scanning the table. Without a condition on the age, so that no engine uses the index
/// by age.
const RECORDS: Sql = sql(
    "checkout.find_records",
    "select i.scope, i.key, i.request, i.answer, i.at from (values {rows:2 $1}) as v
     cross join idempotency i
     where i.organization_id = v.column3 and i.scope = v.column1 and i.key = v.column2",
);

const BY_HOLD: Sql = sql(
    "checkout.orders_of_holds",
    "select o.hold_id, o.id from (values {rows:1 $1}) as v
     cross join orders o where o.organization_id = v.column2 and o.hold_id = v.column1",
);

const BY_ID: Sql = sql(
    "checkout.orders_by_id",
    "select o.id from (values {rows:1 $1}) as v
     cross join orders o where o.organization_id = v.column2 and o.id = v.column1",
);

row_struct! {
    struct RecordRow {
        scope: String,
        key: String,
        request: Vec<u8>,
        answer: Vec<u8>,
        at: i64,
    }
}

/// The answers of orders that repeat a request, or whose hold has become an order already.
pub(super) async fn replayed(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
) -> DbResult<Vec<Option<PlaceOrderResult>>> {
    let expired_before = orders.iter().map(|order| order.at).max().unwrap_or_default().minus(ANSWER_RETENTION);
    let keys = orders.iter().map(|order| row![&order.idempotency.key.caller, &order.idempotency.key.key]).collect();
    let records: Vec<RecordRow> = tx.fetch_rows(RECORDS, binds![organization], keys).await?;
    let records = records.into_iter().filter(|row| is_current(row.at, expired_before));
    let records: BTreeMap<_, _> = records.map(|row| ((row.scope.clone(), row.key.clone()), row)).collect();
    let holds = orders.iter().map(|order| row![order.hold]).collect();
    let ordered: Vec<(Uuid, Uuid)> = tx.fetch_rows(BY_HOLD, binds![organization], holds).await?;
    let ordered: BTreeMap<Uuid, Uuid> = ordered.into_iter().collect();
    let sealer = tx.sealer()?;
    orders.iter().map(|order| answer(sealer, organization, order, &records, &ordered)).collect()
}

fn answer(
    sealer: &Sealer,
    organization: OrganizationId,
    order: &NewOrder,
    records: &BTreeMap<(String, String), RecordRow>,
    ordered: &BTreeMap<Uuid, Uuid>,
) -> DbResult<Option<PlaceOrderResult>> {
    let wanted = &order.idempotency.key;
    if let Some(row) = records.get(&(wanted.caller.clone(), wanted.key.clone())) {
        return replay_record(sealer, organization, wanted, row).map(Some);
    }
    Ok(ordered.get(&order.hold.uuid()).map(|existing| {
        Err(Refusal::new(Code::AlreadyOrdered, "This hold has become an order already.")
            .with(|evidence| evidence.order = Some(OrderId::from_uuid(*existing))))
    }))
}

fn replay_record(
    sealer: &Sealer,
    organization: OrganizationId,
    wanted: &IdempotencyKey,
    row: &RecordRow,
) -> DbResult<PlaceOrderResult> {
    let found = open_record(sealer, organization, wanted, (row.request.clone(), row.answer.clone(), row.at))?;
    match replay(found, &wanted.request) {
        Ok(created) => Ok(Ok(created)),
        Err(CommandError::Refused(refusal)) => Ok(Err(refusal)),
        Err(CommandError::Fault(fault)) => Err(DbError::internal(fault)),
    }
}

/// The orders that exist.
pub(super) async fn written(
    db: &Db,
    organization: OrganizationId,
    orders: &[&NewOrder],
) -> DbResult<BTreeSet<OrderId>> {
    let keys = orders.iter().map(|order| row![order.id]).collect();
    let found: Vec<(Uuid,)> = db.fetch_rows(organization, BY_ID, binds![organization], keys).await?;
    Ok(found.into_iter().map(|(id,)| OrderId::from_uuid(id)).collect())
}
