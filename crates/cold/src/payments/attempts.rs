//! Inserts payment attempts, and reads them for display or as the inputs of the domain's rules.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::payments::ports::{Attempt, NewAttempt};
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, PaymentId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{AttemptInputs, Cancellation};
use voelgoed_domain::time::Timestamp;

use crate::checkout::order_row::currency;
use crate::db::{Db, DbResult, Sql, Tx, Value, binds, row, row_struct, sql};

/// The columns of [`AttemptRow`], of an attempt `a` and its order `o`.
macro_rules! attempt_columns {
    () => {
        "a.id, a.organization_id, a.event_id, a.order_id, a.number, a.provider, a.method, a.state, a.currency, a.amount, a.captured_currency, \
         a.captured_amount, a.provider_ref, a.reason, a.send_before, a.capture_grace, o.pay_by, a.leases, a.created_at"
    };
}
pub(super) use attempt_columns;

/// Attempts `a` joined with their orders `o`.
macro_rules! attempts_with_orders {
    () => {
        "payment_attempts a join orders o on o.organization_id = a.organization_id and o.id = a.order_id"
    };
}
pub(super) use attempts_with_orders;

row_struct! {
    #[derive(Debug, Clone)]
    pub(crate) struct AttemptRow {
        id: Uuid,
        organization_id: Uuid,
        event_id: Uuid,
        order_id: Uuid,
        number: i64,
        provider: String,
        method: String,
        state: String,
        currency: String,
        amount: i64,
        captured_currency: Option<String>,
        captured_amount: Option<i64>,
        provider_ref: Option<String>,
        reason: Option<String>,
        send_before: i64,
        capture_grace: Option<i64>,
        pay_by: i64,
        leases: i64,
        created_at: i64,
    }
}

impl AttemptRow {
    pub(super) fn attempt(self) -> DbResult<Attempt> {
        let cancellation = self.cancellation()?;
        Ok(Attempt {
            id: PaymentId::from_uuid(self.id),
            organization: OrganizationId::from_uuid(self.organization_id),
            event: EventId::from_uuid(self.event_id),
            order: OrderId::from_uuid(self.order_id),
            number: u32::try_from(self.number)?,
            provider: self.provider,
            method: self.method,
            state: AttemptState::parse(&self.state)?,
            amount: Money::new(self.amount, currency(&self.currency)?),
            provider_ref: self.provider_ref,
            reason: self.reason,
            send_before: Timestamp::from_micros(self.send_before),
            pay_by: Timestamp::from_micros(self.pay_by),
            cancellation,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }

    /// The inputs of the domain's rules. A second lease means that the first sender may have sent a charge before it went silent.
    pub(super) fn inputs(&self) -> DbResult<AttemptInputs> {
        let amount = Money::new(self.amount, currency(&self.currency)?);
        let state = AttemptState::parse(&self.state)?;
        let inputs = AttemptInputs::new(PaymentId::from_uuid(self.id), state, amount);
        Ok(AttemptInputs { has_second_sender: self.leases > 1, cancellation: self.cancellation()?, ..inputs })
    }

    fn cancellation(&self) -> DbResult<Cancellation> {
        let Some(micros) = self.capture_grace else { return Ok(Cancellation::AtProvider) };
        Ok(Cancellation::Unsupported { grace: Duration::from_micros(u64::try_from(micros)?) })
    }

    pub(super) fn id(&self) -> PaymentId {
        PaymentId::from_uuid(self.id)
    }

    pub(super) fn state(&self) -> DbResult<AttemptState> {
        Ok(AttemptState::parse(&self.state)?)
    }

    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    pub(super) fn order(&self) -> OrderId {
        OrderId::from_uuid(self.order_id)
    }

    /// The captured amount, once the provider has captured it.
    pub(super) fn captured(&self) -> DbResult<Option<Money>> {
        match (&self.captured_currency, self.captured_amount) {
            (Some(code), Some(amount)) => Ok(Some(Money::new(amount, currency(code)?))),
            _ => Ok(None),
        }
    }
}

const INSERT: Sql = sql(
    "payments.insert_attempts",
    "insert into payment_attempts (organization_id, id, order_id, event_id, number, provider, method, currency, amount, send_before,
                                   asked_at, created_at, capture_grace, state, leases)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10, v.column10,
            cast(v.column11 as bigint), 'created', 0
     from (values {rows:11}) as v",
);

const READ: Sql = sql(
    "payments.read_attempt",
    concat!(
        "select ",
        attempt_columns!(),
        " from ",
        attempts_with_orders!(),
        " where a.organization_id = $1 and a.id = $2"
    ),
);

const READ_MANY: Sql = sql(
    "payments.read_attempts",
    concat!(
        "select ",
        attempt_columns!(),
        " from (values {rows:1 $1}) as v cross join ",
        attempts_with_orders!(),
        " where a.organization_id = v.column2 and a.id = v.column1"
    ),
);

const OF_ORDER: Sql = sql(
    "payments.attempts_of_order",
    concat!(
        "select ",
        attempt_columns!(),
        " from ",
        attempts_with_orders!(),
        " where a.organization_id = $1 and a.order_id = $2 order by a.number"
    ),
);

/// Inserts the first attempts of new orders.
pub(crate) async fn insert_first(tx: &mut Tx, organization: OrganizationId, orders: &[&NewOrder]) -> DbResult<()> {
    let of = |order: &&NewOrder| {
        let attempt = order.attempt.as_ref()?;
        Some(attempt_row(attempt, order.id, order.event, 1, order.at))
    };
    tx.execute_rows(INSERT, binds![organization], orders.iter().filter_map(of).collect()).await?;
    Ok(())
}

/// Inserts a further attempt.
pub(super) async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    attempt: &NewAttempt,
    (order, event): (OrderId, EventId),
    number: u32,
    at: Timestamp,
) -> DbResult<()> {
    tx.execute_rows(INSERT, binds![organization], vec![attempt_row(attempt, order, event, number, at)]).await?;
    Ok(())
}

fn attempt_row(attempt: &NewAttempt, order: OrderId, event: EventId, number: u32, at: Timestamp) -> [Value; 11] {
    let grace = match attempt.cancellation {
        Cancellation::AtProvider => None,
        Cancellation::Unsupported { grace } => Some(i64::try_from(grace.as_micros()).unwrap_or(i64::MAX)),
    };
    row![
        attempt.id,
        order,
        event,
        number,
        &attempt.provider,
        &attempt.method,
        attempt.amount.currency.code(),
        attempt.amount.amount,
        attempt.send_before,
        at,
        grace
    ]
}

pub(super) async fn read(db: &Db, organization: OrganizationId, payment: PaymentId) -> DbResult<Option<Attempt>> {
    let row: Option<AttemptRow> = db.fetch_optional(organization, READ, binds![organization, payment]).await?;
    row.map(AttemptRow::attempt).transpose()
}

pub(super) async fn read_row(
    tx: &mut Tx,
    organization: OrganizationId,
    payment: PaymentId,
) -> DbResult<Option<AttemptRow>> {
    tx.fetch_optional(READ, binds![organization, payment]).await
}

pub(super) async fn read_rows(
    tx: &mut Tx,
    organization: OrganizationId,
    payments: Vec<PaymentId>,
) -> DbResult<Vec<AttemptRow>> {
    tx.fetch_rows(READ_MANY, binds![organization], payments.into_iter().map(|id| row![id]).collect()).await
}

/// An order's attempts, oldest first.
pub(crate) async fn of_order(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> DbResult<Vec<Attempt>> {
    let rows: Vec<AttemptRow> = tx.fetch_all(OF_ORDER, binds![organization, order]).await?;
    rows.into_iter().map(AttemptRow::attempt).collect()
}

/// The attempts of an order as inputs of the domain's rules.
pub(crate) async fn inputs_of(
    tx: &mut Tx,
    organization: OrganizationId,
    order: OrderId,
) -> DbResult<Vec<AttemptInputs>> {
    let rows: Vec<AttemptRow> = tx.fetch_all(OF_ORDER, binds![organization, order]).await?;
    rows.iter().map(AttemptRow::inputs).collect()
}
