//! Converts rows of orders and order lines, locks orders, and increments their version.

use std::collections::BTreeSet;

use uuid::Uuid;
use voelgoed_app::checkout::ports::{Buyer, Order, OrderLine};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{AreaId, EventId, HoldId, OrderId, OrganizationId, TicketTypeId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use crate::db::{DbError, DbResult, Sql, Tx, binds, row, row_struct, sql};

/// The columns of [`OrderRow`], of the table or alias `o`.
macro_rules! order_columns {
    () => {
        "o.organization_id, o.id, o.event_id, o.hold_id, o.state, o.buyer_name, o.buyer_email, o.currency, o.fees, o.tax, \
         o.total, o.pay_by, o.cut_short, o.created_at, o.paid_at, o.version"
    };
}
pub(crate) use order_columns;

row_struct! {
    #[derive(Debug, Clone)]
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
        pub(crate) cancel_requested: bool = "cut_short",
        created_at: i64,
        paid_at: Option<i64>,
        version: i64,
    }
}

impl OrderRow {
    pub(crate) fn id(&self) -> OrderId {
        OrderId::from_uuid(self.id)
    }

    pub(crate) fn order(self) -> DbResult<Order> {
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

/// Parses a stored currency code.
pub(crate) fn currency(code: &str) -> DbResult<Currency> {
    Currency::from_code(code).ok_or_else(|| DbError::internal(format!("unknown currency `{code}`")))
}

row_struct! {
    #[derive(Debug)]
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
}

impl LineRow {
    /// The line with the order it belongs to.
    pub(crate) fn line(self) -> DbResult<(OrderId, OrderLine)> {
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

/// Locks orders until the transaction ends, in the order of their identifiers, so that two transactions cannot deadlock.
pub(crate) async fn lock(tx: &mut Tx, organization: OrganizationId, orders: Vec<OrderId>) -> DbResult<Vec<OrderRow>> {
    let orders: BTreeSet<OrderId> = orders.into_iter().collect();
    tx.fetch_rows(LOCK, binds![organization], orders.into_iter().map(|order| row![order]).collect()).await
}

/// Locks one order until the transaction ends.
pub(crate) async fn lock_one(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> DbResult<Option<OrderRow>> {
    Ok(lock(tx, organization, vec![order]).await?.into_iter().next())
}

/// Reads the lines of orders.
pub(crate) async fn lines(
    tx: &mut Tx,
    organization: OrganizationId,
    orders: &[OrderId],
) -> DbResult<Vec<(OrderId, OrderLine)>> {
    let orders: BTreeSet<&OrderId> = orders.iter().collect();
    let keys = orders.into_iter().map(|order| row![*order]).collect();
    let rows: Vec<LineRow> = tx.fetch_rows(LINES, binds![organization], keys).await?;
    rows.into_iter().map(LineRow::line).collect()
}

const BUMP_VERSION: Sql =
    sql("checkout.touch_order", "update orders set version = version + 1 where organization_id = $1 and id = $2");

/// Increments the version of a locked order after a change of its attempts, refunds or tickets.
pub(crate) async fn bump_version(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> DbResult<()> {
    tx.execute(BUMP_VERSION, binds![organization, order]).await?;
    Ok(())
}
