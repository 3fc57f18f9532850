//! Inserts the rows of orders that own their places: order, lines, attempt, record, outbox events, and the tickets of free orders.

use voelgoed_app::checkout::ports::NewOrder;
use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::{ANSWER_RETENTION, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::OrganizationId;

use crate::checkout::sale_counts;
use crate::checkout::tickets::NewTickets;
use crate::db::{DbError, DbResult, Sql, Tx, Value, binds, row, sql};
use crate::outbox::OutboxBatch;
use crate::payments::attempts;
use crate::ticketing::places::MovedPlace;

const ORDERS: Sql = sql(
    "checkout.insert_orders",
    "insert into orders (organization_id, id, event_id, hold_id, state, buyer_name, buyer_email, currency, fees, tax, total, pay_by,
                         created_at, paid_at, counted_for, session_id, address, cut_short, version)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10, v.column11,
            v.column12, v.column13, v.column14, v.column15, v.column16, false, 1
     from (values {rows:16}) as v",
);

const LINES: Sql = sql(
    "checkout.insert_lines",
    "insert into order_lines (organization_id, order_id, line, place, area_id, label, ticket_type_id, ticket_type_name, price, fee, tax)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10
     from (values {rows:10}) as v",
);

/// Replaces an expired record; a current one would have been found before.
const RECORDS: Sql = sql(
    "checkout.insert_records",
    "insert into idempotency (organization_id, scope, key, request, answer, at)
     select $1, v.column1, v.column2, v.column3, v.column4, v.column5 from (values {rows:5}) as v where true
     on conflict (organization_id, scope, key) do update
     set request = excluded.request, answer = excluded.answer, at = excluded.at
     where idempotency.at <= $2",
);

pub(super) async fn write(
    tx: &mut Tx,
    organization: OrganizationId,
    winners: Vec<(&NewOrder, Vec<MovedPlace>)>,
    environment: &dyn Environment,
) -> DbResult<()> {
    let orders: Vec<&NewOrder> = winners.iter().map(|(order, _)| *order).collect();
    tx.execute_rows(
        ORDERS,
        binds![organization],
        orders.iter().map(|order| order_row(order)).collect::<DbResult<_>>()?,
    )
    .await?;
    tx.execute_rows(LINES, binds![organization], orders.iter().flat_map(|order| line_rows(order)).collect()).await?;
    attempts::insert_first(tx, organization, &orders).await?;
    sale_counts::add(tx, organization, &orders).await?;
    write_records(tx, organization, &orders).await?;
    let latest = orders.iter().map(|order| order.at).max().unwrap_or_default();
    let mut events = OutboxBatch::new(environment, organization, latest);
    let mut tickets = NewTickets::default();
    for (order, got) in winners {
        if order.total.is_zero() {
            tickets.add_known(order.event, order.id, &order.lines, &order.tickets);
        }
        events.add(
            order.id.uuid(),
            1,
            OutboxEvent::OrderChanged { event: order.event, order: order.id, state: state(order) },
        );
        let effects = got.into_iter().map(|moved| moved.effect).collect();
        let claimed_by = Some((order.hold, order.id));
        events.add(order.id.uuid(), 1, OutboxEvent::PlacesChanged { event: order.event, claimed_by, effects });
    }
    tickets.write(tx, organization).await?;
    events.write(tx).await
}

fn state(order: &NewOrder) -> OrderState {
    if order.total.is_zero() { OrderState::Paid } else { OrderState::AwaitingPayment }
}

fn order_row(order: &NewOrder) -> DbResult<[Value; 16]> {
    Ok(row![
        order.id,
        order.event,
        order.hold,
        state(order),
        &order.buyer.name,
        &order.buyer.email,
        order.total.currency.code(),
        order.fees.amount,
        order.tax.amount,
        order.total.amount,
        order.pay_by,
        order.at,
        order.total.is_zero().then_some(order.at),
        Value::json(&order.counted)?,
        order.session,
        order.unpaid_limit.as_ref().map(|limit| &limit.address),
    ])
}

fn line_rows(order: &NewOrder) -> impl Iterator<Item = [Value; 10]> {
    order.lines.iter().zip(0_u32..).map(|(line, number)| {
        row![
            order.id,
            number,
            line.place,
            line.area,
            &line.label,
            line.ticket_type,
            &line.ticket_type_name,
            line.price,
            line.fee,
            line.tax
        ]
    })
}

async fn write_records(tx: &mut Tx, organization: OrganizationId, orders: &[&NewOrder]) -> DbResult<()> {
    let latest = orders.iter().map(|order| order.at).max().unwrap_or_default();
    let mut records: Vec<_> = orders.iter().map(|order| &order.idempotency).collect();
    // Sorted, so that two transactions that write the same keys cannot deadlock.
    records.sort_unstable_by_key(|record| (&record.key.caller, &record.key.key));
    let sealer = tx.sealer()?;
    let row = |record: &IdempotencyRecord| {
        let answer = sealer.seal(organization, record).map_err(DbError::internal)?;
        Ok(row![&record.key.caller, &record.key.key, record.key.request, answer, record.at])
    };
    let rows = records.into_iter().map(row).collect::<DbResult<Vec<_>>>()?;
    let wanted = rows.len() as u64;
    let written = tx.execute_rows(RECORDS, binds![organization, latest.minus(ANSWER_RETENTION)], rows).await?;
    if written == wanted {
        Ok(())
    } else {
        Err(DbError::Serialization("a request with the same key was recorded concurrently".to_owned()))
    }
}
