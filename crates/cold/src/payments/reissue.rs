//! Reissues an ended order after an unmatched capture: sells all of its places again in one commit, or changes nothing (P1, P2).

use voelgoed_app::checkout::ports::{Order, OrderLine};
use voelgoed_app::environment::new_id;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::{OrderState, OrderTransition};
use voelgoed_domain::ids::{OrganizationId, PaymentId};
use voelgoed_domain::ledger::entry::JournalEntry;
use voelgoed_domain::payments::attempt::{AttemptState, AttemptTransition};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::state_machine::StateMachine;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::time::Timestamp;

use super::{attempts, journal, refunds};
use crate::Cold;
use crate::checkout::free_places::places_of;
use crate::checkout::order_row;
use crate::checkout::sale_counts;
use crate::checkout::tickets::NewTickets;
use crate::db::{DbError, DbResult, Sql, Tx, binds, sql};
use crate::ledger::{self, EntryHeader};
use crate::outbox::OutboxBatch;
use crate::ticketing::places::{self, MovedPlace};

const ATTEMPT: Sql = sql(
    "payments.reissue_attempt",
    "update payment_attempts set state = $3, reason = null where organization_id = $1 and id = $2",
);

const ORDER: Sql = sql(
    "payments.reissue_order",
    "update orders set state = $3, paid_at = $4, version = version + 1 where organization_id = $1 and id = $2",
);

pub(super) async fn reissue(
    cold: &Cold,
    organization: OrganizationId,
    payment: PaymentId,
    now: Timestamp,
) -> DbResult<bool> {
    let mut tx = cold.sale.begin(organization).await?;
    let Some(found) = attempts::read_row(&mut tx, organization, payment).await? else { return Ok(false) };
    let locked = order_row::lock_one(&mut tx, organization, found.order()).await?;
    let order = locked.ok_or_else(|| DbError::internal("an attempt without its order"))?.order()?;
    let attempt = attempts::read_row(&mut tx, organization, payment).await?;
    let attempt = attempt.ok_or_else(|| DbError::internal("an attempt disappeared under its order's lock"))?;
    if attempt.state()? == AttemptState::Captured {
        return Ok(true);
    }
    let moves = (attempt.state()?.next(AttemptTransition::Reissue), order.state.next(OrderTransition::Reissue));
    let (Some(attempt_to), Some(order_to)) = moves else { return Ok(false) };
    let refunds = refunds::of_order(&mut tx, organization, order.id).await?;
    let is_refunded =
        refunds.iter().any(|refund| refund.payment == Some(payment) && refund.state != RefundState::Failed);
    if is_refunded || attempt.captured()? != Some(order.total) {
        return Ok(false);
    }
    let lines = order_row::lines(&mut tx, organization, &[order.id]).await?;
    let lines: Vec<OrderLine> = lines.into_iter().map(|(_, line)| line).collect();
    let wanted = places_of(&order, &lines).into_iter().map(|owned| (owned, PlaceState::Sold)).collect();
    let sold = places::take_free(&mut tx, organization, wanted).await?;
    if sold.len() < lines.len() {
        tx.rollback().await?;
        return Ok(false);
    }
    sale_counts::recount(&mut tx, organization, (order.event, order.id, &lines)).await?;
    tx.execute(ATTEMPT, binds![organization, payment, attempt_to]).await?;
    tx.execute(ORDER, binds![organization, order.id, order_to, now]).await?;
    issue(&mut tx, cold, (&order, order_to), &lines, sold, now).await?;
    tx.commit().await?;
    Ok(true)
}

async fn issue(
    tx: &mut Tx,
    cold: &Cold,
    (order, state): (&Order, OrderState),
    lines: &[OrderLine],
    sold: Vec<MovedPlace>,
    now: Timestamp,
) -> DbResult<()> {
    let (organization, event, environment) = (order.organization, order.event, &*cold.environment);
    let mut tickets = NewTickets::default();
    tickets.add(environment, event, order.id, lines);
    tickets.write(tx, organization).await?;
    let parts = journal::parts(order, lines, |_| true)?;
    let entry = JournalEntry::unmatched_capture_sale(order.total.currency, parts).map_err(DbError::internal)?;
    let header = EntryHeader { id: new_id(environment), event, order: order.id, at: now };
    ledger::append(tx, organization, &[(header, entry)]).await?;
    let effects = sold.into_iter().map(|moved| moved.effect).collect();
    let (aggregate, version) = (order.id.uuid(), order.version + 1);
    let mut events = OutboxBatch::new(environment, organization, now);
    events.add(aggregate, version, OutboxEvent::OrderChanged { event, order: order.id, state });
    events.add(aggregate, version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    events.write(tx).await
}
