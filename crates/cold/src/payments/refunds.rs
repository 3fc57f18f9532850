//! A refund as a row with its tickets.

use uuid::Uuid;
use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::time::Timestamp;

use crate::checkout::order_row::currency;
use crate::db::{Result, Sql, Tx, binds, sql};

macro_rules! refund_columns {
    () => {
        "id, organization_id, event_id, order_id, payment_id, provider, currency, amount, reason, state, tickets_revoked, created_at"
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

const TICKETS: Sql = sql(
    "payments.tickets_of_refunds",
    "select refund_id, id from tickets where organization_id = $1 and order_id = $2 and refund_id is not null order by id",
);

#[derive(sqlx::FromRow)]
struct RefundRow {
    id: Uuid,
    organization_id: Uuid,
    event_id: Uuid,
    order_id: Uuid,
    /// Nil where nothing was paid: the column has never been null, and older programs that serve beside this one count on it.
    payment_id: Uuid,
    provider: String,
    currency: String,
    amount: i64,
    reason: String,
    state: String,
    tickets_revoked: bool,
    created_at: i64,
}

impl RefundRow {
    fn refund(self, tickets: &[(Uuid, Uuid)]) -> Result<Refund> {
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
            state: RefundState::parse(&self.state)?,
            tickets_revoked: self.tickets_revoked,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

/// An attempt as the column keeps it.
pub(super) fn payment_id(payment: Option<PaymentId>) -> Uuid {
    payment.map_or_else(Uuid::nil, |payment| payment.uuid())
}

/// One refund.
pub(super) async fn read(tx: &mut Tx, organization: OrganizationId, refund: RefundId) -> Result<Option<Refund>> {
    let Some(row) = tx.fetch_optional::<RefundRow>(READ, binds![organization, refund]).await? else {
        return Ok(None);
    };
    let tickets: Vec<(Uuid, Uuid)> = tx.fetch_all(TICKETS, binds![organization, row.order_id]).await?;
    row.refund(&tickets).map(Some)
}

/// An order's refunds, oldest first.
pub(crate) async fn of_order(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> Result<Vec<Refund>> {
    let rows: Vec<RefundRow> = tx.fetch_all(OF_ORDER, binds![organization, order]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let tickets: Vec<(Uuid, Uuid)> = tx.fetch_all(TICKETS, binds![organization, order]).await?;
    rows.into_iter().map(|row| row.refund(&tickets)).collect()
}
