//! An order and its lines as rows.

use std::collections::BTreeSet;

use uuid::Uuid;
use voelgoed_app::checkout::ports::{Buyer, Order, OrderLine};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{AreaId, EventId, HoldId, OrderId, OrganizationId, TicketTypeId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use crate::db::{Error, Result, Sql, Tx, binds, row, sql};

/// The columns of [`OrderRow`] of a table or alias `o`.
macro_rules! order_columns {
    () => {
        "o.organization_id, o.id, o.event_id, o.hold_id, o.state, o.buyer_name, o.buyer_email, o.currency, o.fees, o.tax, \
         o.total, o.pay_by, o.cut_short, o.created_at, o.paid_at, o.version"
    };
}
pub(crate) use order_columns;

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct OrderRow {
    organization_id: Uuid,
    id: Uuid,
    event_id: Uuid,
    hold_id: Uuid,
    state: String,
    buyer_name: String,
    buyer_email: String,
    currency: String,
    fees: i64,
    tax: i64,
    total: i64,
    pay_by: i64,
    pub(crate) cut_short: bool,
    created_at: i64,
    paid_at: Option<i64>,
    version: i64,
}

impl OrderRow {
    pub(crate) fn id(&self) -> OrderId {
        OrderId::from_uuid(self.id)
    }

    pub(crate) fn order(self) -> Result<Order> {
        let currency = currency(&self.currency)?;
        Ok(Order {
            id: OrderId::from_uuid(self.id),
            organization: OrganizationId::from_uuid(self.organization_id),
            event: EventId::from_uuid(self.event_id),
            hold: HoldId::from_uuid(self.hold_id),
            state: OrderState::parse(&self.state)?,
            buyer: Buyer { name: self.buyer_name, email: self.buyer_email },
            fees: Money::new(self.fees, currency),
            tax: Money::new(self.tax, currency),
            total: Money::new(self.total, currency),
            pay_by: Timestamp::from_micros(self.pay_by),
            created_at: Timestamp::from_micros(self.created_at),
            paid_at: self.paid_at.map(Timestamp::from_micros),
            version: u32::try_from(self.version)?,
        })
    }
}

/// The currency that a row names.
pub(crate) fn currency(code: &str) -> Result<Currency> {
    Currency::from_code(code).ok_or_else(|| Error::internal(format!("`{code}` is no currency")))
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct LineRow {
    order_id: Uuid,
    place: i64,
    area_id: Uuid,
    label: String,
    ticket_type_id: Uuid,
    ticket_type_name: String,
    price: i64,
    fee: i64,
    tax: i64,
}

impl LineRow {
    /// The line, and whose it is.
    pub(crate) fn line(self) -> Result<(OrderId, OrderLine)> {
        let line = OrderLine {
            place: PlaceNumber(u32::try_from(self.place)?),
            area: AreaId::from_uuid(self.area_id),
            label: self.label,
            ticket_type: TicketTypeId::from_uuid(self.ticket_type_id),
            ticket_type_name: self.ticket_type_name,
            price: self.price,
            fee: self.fee,
            tax: self.tax,
        };
        Ok((OrderId::from_uuid(self.order_id), line))
    }
}

const LOCK: Sql = sql(
    "checkout.lock_orders",
    concat!(
        "select ",
        order_columns!(),
        " from (values {rows:1 $1}) as v cross join orders o
          where o.organization_id = v.column2 and o.id = v.column1 order by o.id {for_update}"
    ),
);

const LINES: Sql = sql(
    "checkout.read_lines",
    "select order_id, place, area_id, label, ticket_type_id, ticket_type_name, price, fee, tax
     from (values {rows:1 $1}) as v cross join order_lines
     where organization_id = v.column2 and order_id = v.column1 order by order_id, line",
);

/// Orders as they stand, locked until the transaction ends, in the order of their identifiers.
pub(crate) async fn lock(tx: &mut Tx, organization: OrganizationId, orders: Vec<OrderId>) -> Result<Vec<OrderRow>> {
    let orders: BTreeSet<OrderId> = orders.into_iter().collect();
    tx.fetch_rows(LOCK, binds![organization], orders.into_iter().map(|order| row![order]).collect()).await
}

/// One order as it stands, locked.
pub(crate) async fn lock_one(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> Result<Option<OrderRow>> {
    Ok(lock(tx, organization, vec![order]).await?.into_iter().next())
}

/// The lines of orders.
pub(crate) async fn lines(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[OrderId],
) -> Result<Vec<(OrderId, OrderLine)>> {
    let orders: BTreeSet<&OrderId> = orders.iter().collect();
    let keys = orders.into_iter().map(|order| row![*order]).collect();
    let rows: Vec<LineRow> = tx.fetch_rows(LINES, binds![organization], keys).await?;
    rows.into_iter().map(LineRow::line).collect()
}

const TOUCH: Sql =
    sql("checkout.touch_order", "update orders set version = version + 1 where organization_id = $1 and id = $2");

/// Something that belongs to a locked order changed: its version says so.
pub(crate) async fn touch(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> Result<()> {
    tx.execute(TOUCH, binds![organization, order]).await?;
    Ok(())
}
