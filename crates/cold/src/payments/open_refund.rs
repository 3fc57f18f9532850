//! Opens a refund and revokes its tickets in one commit, after checking the amount again under the order's lock (P5, P6).

use voelgoed_app::checkout::ports::{Order, OrderLine, Ticket};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::{NewRefund, Refund};
use voelgoed_domain::checkout::amount_parts::{LineAmounts, TaxPlacement};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::{RefundInputs, TicketInputs, plan_refund};
use voelgoed_domain::refusal::{Code, Refusal};

use super::attempts::{self, AttemptRow};
use super::refunds;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::checkout::order_row::{self, bump_version};
use crate::checkout::tickets;
use crate::db::{DbError, DbResult, Sql, Tx, binds, row, sql};
use crate::outbox::OutboxBatch;
use crate::{idempotency, jobs};

const INSERT: Sql = sql(
    "payments.insert_refund",
    "insert into refunds (organization_id, id, order_id, event_id, payment_id, provider, currency, amount, reason, actor, tickets_revoked,
                          created_at, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'pending')",
);

const REVOKE: Sql = sql(
    "payments.revoke_tickets",
    "update tickets set state = 'revoking', refund_id = $2, refunded = $3
     from (values {rows:1 $1}) as v
     where tickets.organization_id = v.column2 and tickets.id = v.column1 and tickets.state in ('valid', 'used')",
);

type OrRefusal<T> = Result<T, Refusal>;

pub(super) async fn open_refund(
    cold: &Cold,
    organization: OrganizationId,
    new: NewRefund,
    idempotency: Option<IdempotencyRecord>,
) -> DbResult<OrRefusal<Created<()>>> {
    let mut tx = cold.sale.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, idempotency.as_ref()).await? {
        return Ok(answer);
    }
    let Some(locked) = order_row::lock_one(&mut tx, organization, new.order).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let order = locked.order()?;
    let attempt = match new.payment {
        None => None,
        Some(payment) => {
            let found = attempts::read_row(&mut tx, organization, payment).await?;
            let Some(found) = found.filter(|attempt| attempt.order() == new.order) else {
                return Ok(Err(Refusal::not_found()));
            };
            Some(found)
        }
    };
    let state = attempt.as_ref().map(AttemptRow::state).transpose()?;
    let checked = match (&attempt, state) {
        (Some(_), Some(AttemptState::Captured)) => check(&mut tx, organization, &order, &new).await?,
        (Some(unmatched), Some(AttemptState::CapturedUnmatched)) => {
            check_unmatched(&mut tx, organization, unmatched, &new).await?
        }
        (None, _) if order.total.is_zero() => check(&mut tx, organization, &order, &new).await?,
        _ => Err(Refusal::new(Code::WrongState, "This attempt has captured no money, so nothing can be refunded.")),
    };
    if let Err(refusal) = checked {
        return Ok(Err(refusal));
    }
    write(&mut tx, cold, &order, attempt.as_ref().map_or("", AttemptRow::provider), &new).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

/// Checks a refund of a paid order by the domain's rule, on the locked rows.
async fn check(tx: &mut Tx, organization: OrganizationId, order: &Order, new: &NewRefund) -> DbResult<OrRefusal<()>> {
    let lines = order_row::lines(tx, organization, &[order.id]).await?;
    let lines: Vec<OrderLine> = lines.into_iter().map(|(_, line)| line).collect();
    let tickets = tickets::of_order(tx, organization, order.id).await?;
    let tickets = ticket_inputs(order, &lines, &tickets)?;
    let mut returned = 0_i64;
    for refund in refunds::of_order(tx, organization, order.id).await? {
        if counts(&refund, new.payment) {
            returned = returned.saturating_add(refund.amount.amount);
        }
    }
    let inputs = RefundInputs { state: order.state, total: order.total, returned, tickets: &tickets };
    Ok(plan_refund(&inputs, &new.selection, new.revoke, new.forced).and_then(|plan| match plan {
        // Another refund was opened since the amount was computed.
        plan if plan.amount != new.amount => Err(too_large()),
        plan if plan.tickets != new.tickets => Err(Refusal::new(
            Code::WrongState,
            "A ticket of the order changed meanwhile. Nothing was refunded; try again.",
        )),
        _ => Ok(()),
    }))
}

/// Checks a refund of an unmatched capture: the whole amount, once.
async fn check_unmatched(
    tx: &mut Tx,
    organization: OrganizationId,
    attempt: &AttemptRow,
    new: &NewRefund,
) -> DbResult<OrRefusal<()>> {
    if !new.tickets.is_empty() {
        return Ok(Err(Refusal::new(
            Code::WrongState,
            "This payment was captured after the order had ended and bought no tickets; refund it without tickets.",
        )));
    }
    let is_refunded =
        refunds::of_order(tx, organization, new.order).await?.iter().any(|refund| counts(refund, new.payment));
    Ok(if is_refunded || attempt.captured()? != Some(new.amount) { Err(too_large()) } else { Ok(()) })
}

/// True where the refund has returned, or may yet return, money of the attempt.
fn counts(refund: &Refund, payment: Option<PaymentId>) -> bool {
    refund.payment == payment && refund.state != RefundState::Failed
}

fn too_large() -> Refusal {
    Refusal::new(Code::RefundTooLarge, "This is more than what was paid and is not refunded yet. Nothing was refunded.")
}

fn ticket_inputs(order: &Order, lines: &[OrderLine], tickets: &[Ticket]) -> DbResult<Vec<TicketInputs>> {
    let amounts = |line: &OrderLine| LineAmounts { price: line.price, fee: line.fee, tax: line.tax };
    let all: Vec<LineAmounts> = lines.iter().map(amounts).collect();
    let placement = TaxPlacement::of_order(&all, order.total.amount).map_err(DbError::internal)?;
    let inputs = |ticket: &Ticket| {
        let line = lines.iter().find(|line| line.place == ticket.place);
        let line = line.ok_or_else(|| DbError::internal("a ticket without its order line"))?;
        Ok(TicketInputs { id: ticket.id, state: ticket.state, paid: amounts(line).paid(placement) })
    };
    tickets.iter().map(inputs).collect()
}

async fn write(tx: &mut Tx, cold: &Cold, order: &Order, provider: &str, new: &NewRefund) -> DbResult<()> {
    let organization = order.organization;
    let currency = new.amount.currency.code();
    let amount = new.amount.amount;
    let values = binds![
        organization,
        new.id,
        new.order,
        order.event,
        refunds::payment_id(new.payment),
        provider,
        currency,
        amount,
        &new.reason,
        &new.actor,
        new.tickets.is_empty(),
        new.at
    ];
    tx.execute(INSERT, values).await?;
    let mut tickets = new.tickets.clone();
    // As a batch of scans sorts them, so that the two cannot deadlock.
    tickets.sort_unstable();
    let rows: Vec<_> = tickets.into_iter().map(|ticket| row![ticket]).collect();
    let wanted = rows.len() as u64;
    if tx.execute_rows(REVOKE, binds![organization, new.id, amount > 0], rows).await? != wanted {
        return Err(DbError::internal("a ticket changed under its order's lock"));
    }
    bump_version(tx, organization, order.id).await?;
    jobs::insert(tx, std::slice::from_ref(&new.job)).await?;
    let (event, version) = (order.event, order.version + 1);
    let mut events = OutboxBatch::new(&*cold.environment, organization, new.at);
    events.add(order.id.uuid(), version, OutboxEvent::OrderChanged { event, order: order.id, state: order.state });
    if !new.tickets.is_empty() {
        events.add(order.id.uuid(), version, OutboxEvent::TicketsRevoked { event, tickets: new.tickets.clone() });
    }
    events.write(tx).await
}
