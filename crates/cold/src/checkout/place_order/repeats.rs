//! Answers requests that were answered before, and finds orders after a commit whose answer was lost.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::error::Error as AppError;
use voelgoed_app::idempotency::{IdempotencyKey, KEPT_FOR, replay};
use voelgoed_app::sealing::Sealer;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_planted::{Bug, planted};

use super::Answer;
use crate::db::{Db, Error, Result, Sql, Tx, binds, row, sql};
use crate::idempotency::{is_kept, stored};

/// `cross join` keeps SQLite from walking the table in search of the few: the rows given come first. Their age is not asked for, so that no engine searches
/// by it.
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

#[derive(sqlx::FromRow)]
struct RecordRow {
    scope: String,
    key: String,
    request: Vec<u8>,
    answer: Vec<u8>,
    at: i64,
}

/// The answers of those that repeat a request, or whose hold is an order already.
pub(super) async fn answers(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[&NewOrder],
) -> Result<Vec<Option<Answer>>> {
    let over = orders.iter().map(|order| order.at).max().unwrap_or_default().minus(KEPT_FOR);
    let keys = orders.iter().map(|order| row![&order.idempotency.key.scope, &order.idempotency.key.key]).collect();
    let records: Vec<RecordRow> = tx.fetch_rows(RECORDS, binds![organization], keys).await?;
    let records = records.into_iter().filter(|row| is_kept(row.at, over));
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
) -> Result<Option<Answer>> {
    let asked = &order.idempotency.key;
    if !planted(Bug::RepeatIsAnotherOrder)
        && let Some(row) = records.get(&(asked.scope.clone(), asked.key.clone()))
    {
        return replayed(sealer, organization, asked, row).map(Some);
    }
    Ok(ordered.get(&order.hold.uuid()).map(|existing| {
        Err(Refusal::new(Code::AlreadyOrdered, "This hold has become an order already.")
            .with(|evidence| evidence.order = Some(OrderId::from_uuid(*existing))))
    }))
}

fn replayed(sealer: &Sealer, organization: OrganizationId, asked: &IdempotencyKey, row: &RecordRow) -> Result<Answer> {
    let found = stored(sealer, organization, asked, (row.request.clone(), row.answer.clone(), row.at))?;
    match replay(found, &asked.request) {
        Ok(created) => Ok(Ok(created)),
        Err(AppError::Refused(refusal)) => Ok(Err(refusal)),
        Err(AppError::Fault(fault)) => Err(Error::internal(fault)),
    }
}

/// Which of the orders exist.
pub(super) async fn written(db: &Db, organization: OrganizationId, orders: &[&NewOrder]) -> Result<BTreeSet<OrderId>> {
    let keys = orders.iter().map(|order| row![order.id]).collect();
    let found: Vec<(Uuid,)> = db.fetch_rows(organization, BY_ID, binds![organization], keys).await?;
    Ok(found.into_iter().map(|(id,)| OrderId::from_uuid(id)).collect())
}
