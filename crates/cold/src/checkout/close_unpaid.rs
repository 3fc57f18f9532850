//! Closes an order that nobody will pay: its places are free in the same commit (P2, P4).

use voelgoed_app::checkout::ports::{Order, OrderLine};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::{OrderEvent, OrderState};
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::machine::Machine;
use voelgoed_domain::payments::decide::OrderFacts;
use voelgoed_domain::payments::expiry::{ExpiryStep, expiry, may_cancel};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::counts;
use super::free_places::free_places;
use super::order_row;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{Error, Result, Sql, Tx, binds, sql};
use crate::facts::Facts;
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
) -> Result<std::result::Result<(), Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let Some(row) = order_row::lock_one(&mut tx, organization, id).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let to = if row.cut_short { OrderState::Cancelled } else { to };
    let order = row.order()?;
    let event = match to {
        OrderState::Expired => OrderEvent::Expire,
        OrderState::Cancelled => OrderEvent::Cancel,
        other => return Err(Error::internal(format!("an unpaid order does not become {other}"))),
    };
    let state = match order.state.after(event) {
        Ok(state) => state,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let attempts = attempts::facts_of(&mut tx, organization, id).await?;
    let facts = OrderFacts { state: order.state, total: order.total, pay_by: order.pay_by };
    // An attempt that its provider cannot take back is waited for as long as the rule says, and no longer.
    if expiry(&facts, &attempts, now) != ExpiryStep::Expire
        && let Err(refusal) = may_cancel(&facts, &attempts)
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
) -> Result<()> {
    tx.execute(CLOSE, binds![organization, order.id, state]).await?;
    let effects = free_places(tx, organization, order, lines).await?;
    counts::give_back(tx, organization, (order.event, order.id), lines).await?;
    let (event, version) = (order.event, order.version + 1);
    let mut facts = Facts::new(&*cold.environment, organization, now);
    facts.add(order.id.uuid(), version, OutboxEvent::OrderChanged { event, order: order.id, state });
    facts.add(order.id.uuid(), version, OutboxEvent::PlacesChanged { event, claimed_by: None, effects });
    facts.write(tx).await
}
