//! Reads refunds with their tickets, lists refunds by state, and finds orders with refused refunds.

use uuid::Uuid;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::time::Timestamp;

use crate::checkout::order_row::currency;
use crate::db::{Db, DbResult, Sql, Tx, binds, row, row_struct, sql};

macro_rules! refund_columns {
    () => {
        "id, organization_id, event_id, order_id, payment_id, provider, currency, amount, reason, state, failure, tickets_revoked, created_at"
    };
}

const READ: Sql = sql(
    "payments.read_refund",
    concat!("select ", refund_columns!(), " from refunds where organization_id = $1 and id = $2"),
);

const OF_ORDER: Sql = sql(
    "payments.refunds_of_order",
    concat!("select ", refund_columns!(), " from refunds where organization_id = $1 and order_id = $2 order by id"),
);

/// Without tickets, which no list shows.
const LIST: Sql = sql(
    "payments.list_refunds",
    concat!(
        "select ",
        refund_columns!(),
        " from refunds where organization_id = $1 and id > $2 and ($4 = '' or state = $4) order by id limit $3"
    ),
);

const REFUSED: Sql = sql(
    "payments.orders_with_refused_refunds",
    "select distinct r.order_id from (values {rows:1 $1}) as v
     cross join refunds r where r.organization_id = v.column2 and r.order_id = v.column1 and r.state = 'failed'",
);

const TICKETS: Sql = sql(
    "payments.tickets_of_refunds",
    "select refund_id, id from tickets where organization_id = $1 and order_id = $2 and refund_id is not null order by id",
);

row_struct! {
    struct RefundRow {
        id: Uuid,
        organization_id: Uuid,
        event_id: Uuid,
        order_id: Uuid,
        /// Nil where nothing was paid: older programs that serve beside this one expect the column not to be null.
        payment_id: Uuid,
        provider: String,
        currency: String,
        amount: i64,
        reason: String,
        state: String,
        failure: Option<String>,
        tickets_revoked: bool,
        created_at: i64,
    }
}

impl RefundRow {
    fn refund(self, tickets: &[(Uuid, Uuid)]) -> DbResult<Refund> {
        let state = RefundState::parse(&self.state)?;
        let of_this = tickets.iter().filter(|(refund, _)| *refund == self.id);
        Ok(Refund {
            tickets: of_this.map(|(_, ticket)| TicketId::from_uuid(*ticket)).collect(),
            id: RefundId::from_uuid(self.id),
            organization: OrganizationId::from_uuid(self.organization_id),
            event: EventId::from_uuid(self.event_id),
            order: OrderId::from_uuid(self.order_id),
            payment: Some(self.payment_id).filter(|id| !id.is_nil()).map(PaymentId::from_uuid),
            provider: self.provider,
            amount: Money::new(self.amount, currency(&self.currency)?),
            reason: self.reason,
            failure: self.failure.filter(|_| state == RefundState::Failed),
            state,
            tickets_revoked: self.tickets_revoked,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

/// The stored attempt of a refund; nil where nothing was paid.
pub(super) fn payment_id(payment: Option<PaymentId>) -> Uuid {
    payment.map_or_else(Uuid::nil, |payment| payment.uuid())
}

/// Lists the refunds in a state, without their tickets.
pub(super) async fn list(
    db: &Db,
    organization: OrganizationId,
    state: Option<RefundState>,
    page: PageRequest,
) -> DbResult<Page<Refund>> {
    let wanted = state.map_or("", RefundState::as_str);
    let values = binds![organization, page.after.unwrap_or_default(), page.limit + 1, wanted];
    let rows: Vec<RefundRow> = db.fetch_all(organization, LIST, values).await?;
    let refunds = rows.into_iter().map(|row| row.refund(&[])).collect::<DbResult<_>>()?;
    Ok(Page::cut(refunds, page.limit, |refund: &Refund| refund.id.uuid()))
}

/// The orders with a refund that its provider has refused.
pub(super) async fn refused_of(db: &Db, organization: OrganizationId, orders: &[OrderId]) -> DbResult<Vec<OrderId>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let keys = orders.iter().map(|order| row![*order]).collect();
    let found: Vec<(Uuid,)> = db.fetch_rows(organization, REFUSED, binds![organization], keys).await?;
    Ok(found.into_iter().map(|(order,)| OrderId::from_uuid(order)).collect())
}

/// Reads one refund with its tickets.
pub(super) async fn read(tx: &mut Tx, organization: OrganizationId, refund: RefundId) -> DbResult<Option<Refund>> {
    let Some(row) = tx.fetch_optional::<RefundRow>(READ, binds![organization, refund]).await? else {
        return Ok(None);
    };
    let tickets: Vec<(Uuid, Uuid)> = tx.fetch_all(TICKETS, binds![organization, row.order_id]).await?;
    row.refund(&tickets).map(Some)
}

/// An order's refunds, oldest first.
pub(crate) async fn of_order(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> DbResult<Vec<Refund>> {
    let rows: Vec<RefundRow> = tx.fetch_all(OF_ORDER, binds![organization, order]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let tickets: Vec<(Uuid, Uuid)> = tx.fetch_all(TICKETS, binds![organization, order]).await?;
    rows.into_iter().map(|row| row.refund(&tickets)).collect()
}
