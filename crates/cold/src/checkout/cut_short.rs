//! Marks an order whose attempt is unresolved as given up: its time is over now, and it ends as cancelled.

use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::{OrderEvent, OrderState};
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::machine::Machine;
use voelgoed_domain::payments::decide::PAY_BY_GRACE;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::order_row;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{Result, Sql, binds, sql};
use crate::facts::Facts;

const CUT_SHORT: Sql = sql(
    "checkout.cut_short",
    "update orders set cut_short = true, pay_by = case when pay_by < $3 then pay_by else $3 end, version = version + 1
     where organization_id = $1 and id = $2 and state = 'awaiting_payment'",
);

pub(super) async fn cut_short(
    cold: &Cold,
    organization: OrganizationId,
    id: OrderId,
    now: Timestamp,
) -> Result<std::result::Result<(), Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let Some(row) = order_row::lock_one(&mut tx, organization, id).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let cut_already = row.cut_short;
    let order = row.order()?;
    if let Err(refusal) = order.state.after(OrderEvent::Cancel) {
        return Ok(Err(refusal));
    }
    if cut_already {
        return Ok(Ok(()));
    }
    // So that the rule sees an order whose time and grace are over, whatever step comes next.
    tx.execute(CUT_SHORT, binds![organization, id, now.minus(PAY_BY_GRACE)]).await?;
    let mut facts = Facts::new(&*cold.environment, organization, now);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: id, state: OrderState::AwaitingPayment };
    facts.add(id.uuid(), order.version + 1, changed);
    facts.write(&mut tx).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(()))
}
