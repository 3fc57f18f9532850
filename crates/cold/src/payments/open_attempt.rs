//! Opens another payment attempt of an unpaid order, unless an earlier attempt could still capture money (P2).

use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::NewAttempt;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::decide::OrderInputs;
use voelgoed_domain::payments::expiry::may_open_attempt;
use voelgoed_domain::refusal::{Code, Refusal};

use super::attempts;
use crate::Cold;
use crate::checkout::order_row::{self, bump_version};
use crate::db::DbResult;
use crate::idempotency;
use crate::outbox::OutboxBatch;

pub(super) async fn open_attempt(
    cold: &Cold,
    organization: OrganizationId,
    id: OrderId,
    attempt: NewAttempt,
    idempotency: Option<IdempotencyRecord>,
) -> DbResult<Result<Created<()>, Refusal>> {
    let now = cold.environment.now();
    let mut tx = cold.sale.begin(organization).await?;
    if let Some(answer) = idempotency::record_or_replay(&mut tx, organization, idempotency.as_ref()).await? {
        return Ok(answer);
    }
    let Some(row) = order_row::lock_one(&mut tx, organization, id).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    if row.cancel_requested {
        return Ok(Err(Refusal::new(
            Code::NotPayable,
            "The cancellation of this order was requested, so it cannot be paid any more.",
        )));
    }
    let order = row.order()?;
    let earlier = attempts::inputs_of(&mut tx, organization, id).await?;
    let inputs = OrderInputs { state: order.state, total: order.total, pay_by: order.pay_by };
    if let Err(refusal) = may_open_attempt(&inputs, &earlier, now) {
        return Ok(Err(refusal));
    }
    let number = u32::try_from(earlier.len())?.saturating_add(1);
    attempts::insert(&mut tx, organization, &attempt, (id, order.event), number, now).await?;
    bump_version(&mut tx, organization, id).await?;
    let mut events = OutboxBatch::new(&*cold.environment, organization, now);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: id, state: order.state };
    events.add(id.uuid(), order.version + 1, changed);
    events.write(&mut tx).await?;
    tx.commit().await?;
    Ok(Ok(Created::Fresh(())))
}
