//! Lists unpaid orders of all organizations whose time to pay has passed, page by page from a cursor (system role).

use uuid::Uuid;
use voelgoed_app::checkout::ports::OverdueOrder;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, SystemRole, binds, sql};

const OVERDUE: Sql = sql(
    "checkout.overdue",
    "select organization_id, id, pay_by from orders
     where state = 'awaiting_payment' and pay_by <= $1 and pay_by >= $3 and (pay_by, id) > ($3, $4) order by pay_by, id limit $2",
);

pub(super) async fn overdue(
    db: &Db,
    before: Timestamp,
    after: Option<OverdueOrder>,
    limit: u32,
) -> DbResult<Vec<OverdueOrder>> {
    let (pay_by, order) = after.map_or((i64::MIN, Uuid::nil()), |it| (it.pay_by.micros(), it.order.uuid()));
    let rows: Vec<(Uuid, Uuid, i64)> =
        db.fetch_all(SystemRole::Reconciler, OVERDUE, binds![before, limit, pay_by, order]).await?;
    let overdue = |(organization, order, pay_by)| OverdueOrder {
        organization: OrganizationId::from_uuid(organization),
        order: OrderId::from_uuid(order),
        pay_by: Timestamp::from_micros(pay_by),
    };
    Ok(rows.into_iter().map(overdue).collect())
}
