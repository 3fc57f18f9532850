//! Reads an order with its lines, attempts, refunds and tickets in one snapshot.

use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_domain::ids::{OrderId, OrganizationId};

use super::order_row::{self, OrderRow, order_columns};
use super::tickets;
use crate::db::{Db, DbResult, Sql, binds, sql};
use crate::payments::{attempts, refunds};

const ORDER: Sql = sql(
    "checkout.read_order",
    concat!("select ", order_columns!(), " from orders o where o.organization_id = $1 and o.id = $2"),
);

pub(super) async fn read_order(db: &Db, organization: OrganizationId, id: OrderId) -> DbResult<Option<OrderDetail>> {
    let mut snapshot = db.snapshot(organization).await?;
    let Some(row) = snapshot.fetch_optional::<OrderRow>(ORDER, binds![organization, id]).await? else {
        return Ok(None);
    };
    let order = row.order()?;
    let lines = order_row::lines(&mut snapshot, organization, &[id]).await?.into_iter().map(|(_, line)| line).collect();
    let attempts = attempts::of_order(&mut snapshot, organization, id).await?;
    let refunds = refunds::of_order(&mut snapshot, organization, id).await?;
    let tickets = tickets::of_order(&mut snapshot, organization, id).await?;
    snapshot.rollback().await?;
    Ok(Some(OrderDetail { order, lines, attempts, refunds, tickets }))
}
