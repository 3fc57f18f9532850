//! Closes an unpaid order as expired or cancelled and frees its places in the same commit (P2, P4).

use voelgoed_app::checkout::ports::{Order, OrderLine};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::{OrderState, OrderTransition};
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::decide::OrderInputs;
use voelgoed_domain::payments::expiry::{ExpiryStep, expiry, may_cancel};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::state_machine::StateMachine;
use voelgoed_domain::time::Timestamp;

use super::free_places::free_places;
use super::order_row;
use super::sale_counts;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbError, DbResult, Sql, Tx, binds, sql};
use crate::outbox::OutboxBatch;
use crate::payments::attempts;

const CLOSE: Sql = sql(
    "checkout.close_order",
    "update orders set state = $3, version = version + 1 where organization_id = $1 and id = $2 and state = 'awaiting_payment'",
);

pub(super) async fn close_unpaid(
    cold: &Cold,
    organization: OrganizationId,
    id: OrderId,
    to: OrderState,
    now: Timestamp,
) -> DbResult<Result<(), Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let Some(row) = order_row::lock_one(&mut tx, organization, id).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let to = if row.cancel_requested { OrderState::Cancelled } else { to };
    let order = row.order()?;
    let event = match to {
        OrderState::Expired => OrderTransition::Expire,
        OrderState::Cancelled => OrderTransition::Cancel,
        other => return Err(DbError::internal(format!("an unpaid order cannot become {other}"))),
    };
    let state = match order.state.after(event) {
        Ok(state) => state,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let attempts = attempts::inputs_of(&mut tx, organization, id).await?;
    let inputs = OrderInputs { state: order.state, total: order.total, pay_by: order.pay_by };
    // An attempt that its provider cannot cancel delays the end by its grace period, and no longer.
    if expiry(&inputs, &attempts, now) != ExpiryStep::Expire
        && let Err(refusal) = may_cancel(&inputs, &attempts)
    {
        return Ok(Err(refusal));
    }
    let lines: Vec<OrderLine> =
        order_row::lines(&mut tx, organization, &[id]).await?.into_iter().map(|(_, line)| line).collect();
    close(&mut tx, cold, organization, &order, &lines, state, now).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(()))
}

async fn close(
    tx: &mut Tx,
    cold: &Cold,
    organization: OrganizationId,
    order: &Order,
    lines: &[OrderLine],
    state: OrderState,
    now: Timestamp,
) -> DbResult<()> {
    tx.execute(CLOSE, binds![organization, order.id, state]).await?;
    let effects = free_places(tx, organization, order, lines).await?;
    sale_counts::release(tx, organization, &[(order.event, order.id, lines)]).await?;
    let (event, version) = (order.event, order.version + 1);
    let mut events = OutboxBatch::new(&*cold.environment, organization, now);
    events.add(order.id.uuid(), version, OutboxEvent::OrderChanged { event, order: order.id, state });
    events.add(order.id.uuid(), version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    events.write(tx).await
}
