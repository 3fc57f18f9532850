//! A refund is written, and its tickets stop admitting, in one commit; what goes back is judged once more under the order's lock (P5, P6).

use voelgoed_app::checkout::ports::{Order, OrderLine, Ticket};
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::{NewRefund, Refund};
use voelgoed_domain::checkout::amounts::{LineAmounts, TaxPlacement};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::{RefundFacts, TicketFacts, plan_refund};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_planted::{Bug, planted};

use super::attempts::{self, AttemptRow};
use super::refunds;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::checkout::order_row::{self, touch};
use crate::checkout::tickets;
use crate::db::{Error, Result, Sql, Tx, binds, row, sql};
use crate::facts::Facts;
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

type Refused<T> = std::result::Result<T, Refusal>;

pub(super) async fn open_refund(
    cold: &Cold,
    organization: OrganizationId,
    new: NewRefund,
    idempotency: Option<IdempotencyRecord>,
) -> Result<Refused<Created<()>>> {
    let mut tx = cold.sale.begin(organization).await?;
    if let Some(answer) = idempotency::note(&mut tx, organization, idempotency.as_ref()).await? {
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
    let judged = match (&attempt, state) {
        (Some(_), Some(AttemptState::Captured)) => judge(&mut tx, organization, &order, &new).await?,
        (Some(late), Some(AttemptState::CapturedLate)) => judge_late(&mut tx, organization, late, &new).await?,
        (None, _) if order.total.is_zero() => judge(&mut tx, organization, &order, &new).await?,
        _ => Err(Refusal::new(Code::WrongState, "Nothing was captured by this attempt.")),
    };
    if let Err(refusal) = judged {
        return Ok(Err(refusal));
    }
    write(&mut tx, cold, &order, attempt.as_ref().map_or("", AttemptRow::provider), &new).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Created::Fresh(())))
}

/// The rule for a paid order, on what is true now.
async fn judge(tx: &mut Tx, organization: OrganizationId, order: &Order, new: &NewRefund) -> Result<Refused<()>> {
    let lines = order_row::lines(tx, organization, &[order.id]).await?;
    let lines: Vec<OrderLine> = lines.into_iter().map(|(_, line)| line).collect();
    let tickets = tickets::of_order(tx, organization, order.id).await?;
    let tickets = ticket_facts(order, &lines, &tickets)?;
    let mut returned = 0_i64;
    for refund in refunds::of_order(tx, organization, order.id).await? {
        if counts(&refund, new.payment) {
            returned = returned.saturating_add(refund.amount.amount);
        }
    }
    let facts = RefundFacts { state: order.state, total: order.total, returned, tickets: &tickets };
    Ok(plan_refund(&facts, &new.wish, new.revoke, new.forced).and_then(|plan| match plan {
        // Something else went back since the amount was computed.
        plan if plan.amount != new.amount => Err(too_large()),
        plan if plan.tickets != new.tickets => Err(Refusal::new(
            Code::WrongState,
            "A ticket of the order changed meanwhile. Nothing was given back; ask again.",
        )),
        _ => Ok(()),
    }))
}

/// All of late money goes back, once.
async fn judge_late(
    tx: &mut Tx,
    organization: OrganizationId,
    attempt: &AttemptRow,
    new: &NewRefund,
) -> Result<Refused<()>> {
    if !new.tickets.is_empty() {
        return Ok(Err(Refusal::new(Code::WrongState, "Late money has bought no tickets.")));
    }
    let given = refunds::of_order(tx, organization, new.order).await?.iter().any(|refund| counts(refund, new.payment));
    Ok(if given || attempt.captured()? != Some(new.amount) { Err(too_large()) } else { Ok(()) })
}

/// True where the refund has taken, or may yet take, money of the attempt.
fn counts(refund: &Refund, payment: Option<PaymentId>) -> bool {
    refund.payment == payment && refund.state != RefundState::Failed
}

fn too_large() -> Refusal {
    Refusal::new(Code::RefundTooLarge, "This is more than what was paid and is not yet returned.")
}

fn ticket_facts(order: &Order, lines: &[OrderLine], tickets: &[Ticket]) -> Result<Vec<TicketFacts>> {
    let amounts = |line: &OrderLine| LineAmounts { price: line.price, fee: line.fee, tax: line.tax };
    let all: Vec<LineAmounts> = lines.iter().map(amounts).collect();
    let placement = TaxPlacement::of_order(&all, order.total.amount).map_err(Error::internal)?;
    let facts = |ticket: &Ticket| {
        let line = lines.iter().find(|line| line.place == ticket.place);
        let line = line.ok_or_else(|| Error::internal("a ticket without its order line"))?;
        Ok(TicketFacts { id: ticket.id, state: ticket.state, paid: amounts(line).paid(placement) })
    };
    tickets.iter().map(facts).collect()
}

async fn write(tx: &mut Tx, cold: &Cold, order: &Order, provider: &str, new: &NewRefund) -> Result<()> {
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
    let rows: Vec<_> = new.tickets.iter().map(|ticket| row![*ticket]).collect();
    let wanted = rows.len() as u64;
    if !planted(Bug::RefundedTicketAdmits)
        && tx.execute_rows(REVOKE, binds![organization, new.id, amount > 0], rows).await? != wanted
    {
        return Err(Error::internal("a ticket changed under its order's lock"));
    }
    touch(tx, organization, order.id).await?;
    jobs::insert(tx, std::slice::from_ref(&new.job)).await?;
    let (event, version) = (order.event, order.version + 1);
    let mut facts = Facts::new(&*cold.environment, organization, new.at);
    facts.add(order.id.uuid(), version, OutboxEvent::OrderChanged { event, order: order.id, state: order.state });
    if !new.tickets.is_empty() {
        facts.add(order.id.uuid(), version, OutboxEvent::TicketsRevoked { event, tickets: new.tickets.clone() });
    }
    facts.write(tx).await
}
