//! What the provider said of a refund; when the money is on its way, the journal and the order say so in the same commit (P5).

use voelgoed_app::checkout::ports::{Order, Ticket};
use voelgoed_app::environment::fresh;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::{Refund, RefundObservation};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::machine::Machine;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::{RefundEvent, RefundState};
use voelgoed_domain::payments::refund_plan::refund_event;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;

use super::{attempts, journal, refunds};
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::checkout::{order_row, tickets};
use crate::db::{Error, Result, Sql, Tx, binds, sql};
use crate::facts::Facts;
use crate::ledger::{self, Told};

const MOVE: Sql = sql(
    "payments.move_refund",
    "update refunds set state = $3, provider_ref = coalesce($4, provider_ref), failure = coalesce($5, failure)
     where organization_id = $1 and id = $2",
);

const ORDER: Sql = sql(
    "payments.move_refunded_order",
    "update orders set state = $3, version = version + 1 where organization_id = $1 and id = $2",
);

pub(super) async fn record(
    cold: &Cold,
    organization: OrganizationId,
    id: RefundId,
    seen: RefundObservation,
    now: Timestamp,
) -> Result<RefundState> {
    let mut tx = cold.sale.begin(organization).await?;
    let missing = || Error::internal(format!("refund {id} is not there"));
    let order = refunds::read(&mut tx, organization, id).await?.ok_or_else(missing)?.order;
    let locked = order_row::lock_one(&mut tx, organization, order).await?.ok_or_else(missing)?;
    let refund = refunds::read(&mut tx, organization, id).await?.ok_or_else(missing)?;
    let Some(state) = event(refund.state, &seen).and_then(|event| refund.state.next(event)) else {
        // Known already, or nothing that changes anything.
        tx.rollback().await?;
        return Ok(refund.state);
    };
    let words = match &seen {
        RefundObservation::Done { provider_ref } => ProviderWords { reference: Some(provider_ref), failure: None },
        RefundObservation::Failed { reason } => ProviderWords { reference: None, failure: Some(reason) },
        _ => ProviderWords::default(),
    };
    write(&mut tx, cold, &locked.order()?, &refund, (state, words), now).await?;
    commit_act(tx, organization).await?;
    Ok(state)
}

/// What the provider said beside the state; nothing leaves the column as it is.
#[derive(Debug, Default)]
pub(super) struct ProviderWords<'a> {
    pub(super) reference: Option<&'a str>,
    pub(super) failure: Option<&'a str>,
}

/// Moves a refund whose order is locked to `state`; for `Done` with the journal entry and the order's new state.
pub(super) async fn write(
    tx: &mut Tx,
    cold: &Cold,
    order: &Order,
    refund: &Refund,
    (state, words): (RefundState, ProviderWords<'_>),
    now: Timestamp,
) -> Result<()> {
    let organization = order.organization;
    tx.execute(MOVE, binds![organization, refund.id, state, words.reference, words.failure]).await?;
    let order_to = match state {
        RefundState::Done => settle(tx, cold, order, refund, now).await?,
        _ => order.state,
    };
    tx.execute(ORDER, binds![organization, order.id, order_to]).await?;
    let mut facts = Facts::new(&*cold.environment, organization, now);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: order.id, state: order_to };
    facts.add(order.id.uuid(), order.version + 1, changed);
    facts.write(tx).await
}

fn event(state: RefundState, seen: &RefundObservation) -> Option<RefundEvent> {
    match seen {
        RefundObservation::Done { .. } => Some(RefundEvent::Complete),
        RefundObservation::Failed { .. } => Some(RefundEvent::Fail),
        RefundObservation::Pending if state == RefundState::Unknown => Some(RefundEvent::Retry),
        RefundObservation::NoAnswer => Some(RefundEvent::Lose),
        RefundObservation::Pending | RefundObservation::NotReached => None,
    }
}

/// The journal's entry, and what the order is now.
async fn settle(tx: &mut Tx, cold: &Cold, order: &Order, refund: &Refund, now: Timestamp) -> Result<OrderState> {
    let organization = order.organization;
    let late = match refund.payment {
        None => false,
        Some(payment) => {
            let attempt = attempts::read_row(tx, organization, payment).await?;
            let attempt = attempt.ok_or_else(|| Error::internal("a refund without its attempt"))?;
            attempt.state()? == AttemptState::CapturedLate
        }
    };
    let tickets = tickets::of_order(tx, organization, order.id).await?;
    if !refund.amount.is_zero() {
        let entry = match late {
            true => JournalEntry::late_capture_refund(&refund.provider, refund.amount).map_err(Error::internal)?,
            false => entry(tx, order, refund, &tickets).await?,
        };
        let told = Told { id: fresh(&*cold.environment), event: order.event, order: order.id, at: now };
        ledger::append(tx, organization, &[(told, entry)]).await?;
    }
    if late {
        // The order never had this money.
        return Ok(order.state);
    }
    let mut returned = 0_i64;
    for other in refunds::of_order(tx, organization, order.id).await? {
        // This one is done by now as well.
        if other.payment == refund.payment && other.state == RefundState::Done {
            returned = returned.saturating_add(other.amount.amount);
        }
    }
    let live = tickets.iter().filter(|ticket| matches!(ticket.state, TicketState::Valid | TicketState::Used)).count();
    let event = refund_event(order.total.amount, returned, live);
    order.state.after(event).map_err(Error::internal)
}

/// Out of which parts the money goes back: those of the tickets where their whole price does, else in proportion.
async fn entry(tx: &mut Tx, order: &Order, refund: &Refund, tickets: &[Ticket]) -> Result<JournalEntry> {
    let organization = order.organization;
    let lines = order_row::lines(tx, organization, &[order.id]).await?;
    let of_refund = |place| tickets.iter().any(|ticket| ticket.place == place && refund.tickets.contains(&ticket.id));
    let wish = journal::parts(order, lines.iter().map(|(_, line)| line), |line| of_refund(line.place))?;
    let left = journal::left(tx, organization, order.id).await?;
    let amount = refund.amount.amount;
    let taken = if wish.total() == amount { left.take_parts(wish) } else { left.take(amount) };
    let taken = taken.map_err(Error::internal)?;
    JournalEntry::refund(&refund.provider, refund.amount.currency, taken).map_err(Error::internal)
}
