//! Orders whose time to pay is over, of all organizations (system role).

use uuid::Uuid;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, Result, Sql, System, binds, sql};

const OVERDUE: Sql = sql(
    "checkout.overdue",
    "select organization_id, id from orders where state = 'awaiting_payment' and pay_by <= $1 order by pay_by, id limit $2",
);

pub(super) async fn overdue(db: &Db, before: Timestamp, most: u32) -> Result<Vec<(OrganizationId, OrderId)>> {
    let rows: Vec<(Uuid, Uuid)> = db.fetch_all(System::Reconciler, OVERDUE, binds![before, most]).await?;
    Ok(rows.into_iter().map(|(org, id)| (OrganizationId::from_uuid(org), OrderId::from_uuid(id))).collect())
}
