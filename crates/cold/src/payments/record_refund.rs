//! Records what the provider reports of a refund; a completed refund changes the journal and the order in the same commit (P5).

use voelgoed_app::checkout::ports::{Order, Ticket};
use voelgoed_app::environment::new_id;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::{Refund, RefundObservation};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::{RefundState, RefundTransition};
use voelgoed_domain::payments::refund_plan::refund_transition;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::state_machine::StateMachine;
use voelgoed_domain::time::Timestamp;

use super::{attempts, journal, refunds};
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::checkout::{order_row, tickets};
use crate::db::{DbError, DbResult, Sql, Tx, binds, sql};
use crate::ledger::{self, EntryHeader};
use crate::outbox::OutboxBatch;

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
) -> DbResult<RefundState> {
    let mut tx = cold.sale.begin(organization).await?;
    let missing = || DbError::internal(format!("refund {id} does not exist"));
    let order = refunds::read(&mut tx, organization, id).await?.ok_or_else(missing)?.order;
    let locked = order_row::lock_one(&mut tx, organization, order).await?.ok_or_else(missing)?;
    let refund = refunds::read(&mut tx, organization, id).await?.ok_or_else(missing)?;
    let Some(state) = event(refund.state, &seen).and_then(|event| refund.state.next(event)) else {
        // Recorded already, or without an effect.
        tx.rollback().await?;
        return Ok(refund.state);
    };
    let detail = match &seen {
        RefundObservation::Done { provider_ref } => ProviderDetail { reference: Some(provider_ref), failure: None },
        RefundObservation::Failed { reason } => ProviderDetail { reference: None, failure: Some(reason) },
        _ => ProviderDetail::default(),
    };
    write(&mut tx, cold, &locked.order()?, &refund, (state, detail), now).await?;
    commit_act(tx, organization).await?;
    Ok(state)
}

/// What the provider reported beside the state; none leaves the column unchanged.
#[derive(Debug, Default)]
pub(super) struct ProviderDetail<'a> {
    pub(super) reference: Option<&'a str>,
    pub(super) failure: Option<&'a str>,
}

/// Moves a refund of a locked order to `state`; `Done` also writes the journal entry and the order's new state.
pub(super) async fn write(
    tx: &mut Tx,
    cold: &Cold,
    order: &Order,
    refund: &Refund,
    (state, detail): (RefundState, ProviderDetail<'_>),
    now: Timestamp,
) -> DbResult<()> {
    let organization = order.organization;
    tx.execute(MOVE, binds![organization, refund.id, state, detail.reference, detail.failure]).await?;
    let order_to = match state {
        RefundState::Done => settle(tx, cold, order, refund, now).await?,
        _ => order.state,
    };
    tx.execute(ORDER, binds![organization, order.id, order_to]).await?;
    let mut events = OutboxBatch::new(&*cold.environment, organization, now);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: order.id, state: order_to };
    events.add(order.id.uuid(), order.version + 1, changed);
    events.write(tx).await
}

fn event(state: RefundState, seen: &RefundObservation) -> Option<RefundTransition> {
    match seen {
        RefundObservation::Done { .. } => Some(RefundTransition::Complete),
        RefundObservation::Failed { .. } => Some(RefundTransition::Fail),
        RefundObservation::Pending if state == RefundState::Unknown => Some(RefundTransition::Retry),
        RefundObservation::NoAnswer => Some(RefundTransition::Lose),
        RefundObservation::Pending | RefundObservation::NotReached => None,
    }
}

/// Appends the journal entry and returns the order's new state.
async fn settle(tx: &mut Tx, cold: &Cold, order: &Order, refund: &Refund, now: Timestamp) -> DbResult<OrderState> {
    let organization = order.organization;
    let unmatched = match refund.payment {
        None => false,
        Some(payment) => {
            let attempt = attempts::read_row(tx, organization, payment).await?;
            let attempt = attempt.ok_or_else(|| DbError::internal("a refund without its attempt"))?;
            attempt.state()? == AttemptState::CapturedUnmatched
        }
    };
    let tickets = tickets::of_order(tx, organization, order.id).await?;
    if !refund.amount.is_zero() {
        let entry = match unmatched {
            true => {
                JournalEntry::unmatched_capture_refund(&refund.provider, refund.amount).map_err(DbError::internal)?
            }
            false => entry(tx, order, refund, &tickets).await?,
        };
        let header = EntryHeader { id: new_id(&*cold.environment), event: order.event, order: order.id, at: now };
        ledger::append(tx, organization, &[(header, entry)]).await?;
    }
    if unmatched {
        // The order was never paid with this money.
        return Ok(order.state);
    }
    let mut returned = 0_i64;
    for other in refunds::of_order(tx, organization, order.id).await? {
        // Includes this refund, which is `Done` in this transaction.
        if other.payment == refund.payment && other.state == RefundState::Done {
            returned = returned.saturating_add(other.amount.amount);
        }
    }
    let live = tickets.iter().filter(|ticket| matches!(ticket.state, TicketState::Valid | TicketState::Used)).count();
    let event = refund_transition(order.total.amount, returned, live);
    order.state.after(event).map_err(DbError::internal)
}

/// The journal entry of a refund: the parts of its tickets where their whole price is refunded, else parts in proportion.
async fn entry(tx: &mut Tx, order: &Order, refund: &Refund, tickets: &[Ticket]) -> DbResult<JournalEntry> {
    let organization = order.organization;
    let lines = order_row::lines(tx, organization, &[order.id]).await?;
    let of_refund = |place| tickets.iter().any(|ticket| ticket.place == place && refund.tickets.contains(&ticket.id));
    let wish = journal::parts(order, lines.iter().map(|(_, line)| line), |line| of_refund(line.place))?;
    let left = journal::left(tx, organization, order.id).await?;
    let amount = refund.amount.amount;
    let taken = if wish.total() == amount { left.take_parts(wish) } else { left.take(amount) };
    let taken = taken.map_err(DbError::internal)?;
    JournalEntry::refund(&refund.provider, refund.amount.currency, taken).map_err(DbError::internal)
}
