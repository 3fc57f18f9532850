//! Lists the orders of an organization, an event or a buyer's session, and finds the order of a hold.

use uuid::Uuid;
use voelgoed_app::checkout::ports::Order;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, SessionId};

use super::order_row::{OrderRow, order_columns};
use crate::db::{Db, DbResult, Sql, SystemRole, binds, sql};
use crate::decode_rows::{decode_each, decode_page};

const ALL: Sql = sql(
    "checkout.orders",
    concat!(
        "select ",
        order_columns!(),
        " from orders o where o.organization_id = $1 and o.id > $2 order by o.id limit $3"
    ),
);

const OF_EVENT: Sql = sql(
    "checkout.orders_of_event",
    concat!(
        "select ",
        order_columns!(),
        " from orders o where o.organization_id = $1 and o.event_id = $4 and o.id > $2 order by o.id limit $3"
    ),
);

const OF_HOLD: Sql = sql("checkout.order_of_hold", "select id from orders where organization_id = $1 and hold_id = $2");

/// System role: a session may buy from several organizations.
const OF_SESSION: Sql = sql(
    "checkout.orders_of_session",
    concat!("select ", order_columns!(), " from orders o where o.session_id = $1 order by o.id desc limit $2"),
);

pub(super) async fn of_session(db: &Db, session: SessionId, limit: u32) -> DbResult<Vec<Order>> {
    let rows: Vec<OrderRow> = db.fetch_all(SystemRole::Buyer, OF_SESSION, binds![session, limit]).await?;
    Ok(decode_each("orders", rows, OrderRow::order))
}

pub(super) async fn orders(
    db: &Db,
    organization: OrganizationId,
    event: Option<EventId>,
    page: PageRequest,
) -> DbResult<Page<Order>> {
    let mut values = binds![organization, page.after.unwrap_or(Uuid::nil()), page.limit.saturating_add(1)];
    let rows: Vec<OrderRow> = match event {
        None => db.fetch_all(organization, ALL, values).await?,
        Some(event) => {
            values.extend(binds![event]);
            db.fetch_all(organization, OF_EVENT, values).await?
        }
    };
    Ok(decode_page("orders", Page::cut(rows, page.limit, |row| row.id().uuid()), OrderRow::order))
}

pub(super) async fn order_of_hold(db: &Db, organization: OrganizationId, hold: HoldId) -> DbResult<Option<OrderId>> {
    let found: Option<(Uuid,)> = db.fetch_optional(organization, OF_HOLD, binds![organization, hold]).await?;
    Ok(found.map(|(id,)| OrderId::from_uuid(id)))
}
