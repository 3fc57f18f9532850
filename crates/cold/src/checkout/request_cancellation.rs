//! Requests the cancellation of an order with an unresolved attempt: its time to pay ends now, and it ends as cancelled instead of expired.

use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_domain::checkout::order::{OrderState, OrderTransition};
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::decide::PAY_BY_GRACE;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::state_machine::StateMachine;
use voelgoed_domain::time::Timestamp;

use super::order_row;
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbResult, Sql, binds, sql};
use crate::outbox::OutboxBatch;

const REQUEST_CANCELLATION: Sql = sql(
    "checkout.cut_short",
    "update orders set cut_short = true, pay_by = case when pay_by < $3 then pay_by else $3 end, version = version + 1
     where organization_id = $1 and id = $2 and state = 'awaiting_payment'",
);

pub(super) async fn request_cancellation(
    cold: &Cold,
    organization: OrganizationId,
    id: OrderId,
    now: Timestamp,
) -> DbResult<Result<(), Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let Some(row) = order_row::lock_one(&mut tx, organization, id).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    let is_requested_already = row.cancel_requested;
    let order = row.order()?;
    if let Err(refusal) = order.state.after(OrderTransition::Cancel) {
        return Ok(Err(refusal));
    }
    if is_requested_already {
        return Ok(Ok(()));
    }
    // Grace is subtracted too, so that every later step treats the order as overdue.
    tx.execute(REQUEST_CANCELLATION, binds![organization, id, now.minus(PAY_BY_GRACE)]).await?;
    let mut events = OutboxBatch::new(&*cold.environment, organization, now);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: id, state: OrderState::AwaitingPayment };
    events.add(id.uuid(), order.version + 1, changed);
    events.write(&mut tx).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(()))
}
