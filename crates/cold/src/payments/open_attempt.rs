//! Another attempt of an order whose places are still claimed; never two that could still take money (P2).

use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::NewAttempt;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::decide::OrderFacts;
use voelgoed_domain::payments::expiry::may_open_attempt;
use voelgoed_domain::refusal::{Code, Refusal};

use super::attempts;
use crate::Cold;
use crate::checkout::order_row::{self, touch};
use crate::db::Result;
use crate::facts::Facts;
use crate::idempotency;

pub(super) async fn open_attempt(
    cold: &Cold,
    organization: OrganizationId,
    id: OrderId,
    attempt: NewAttempt,
    idempotency: Option<IdempotencyRecord>,
) -> Result<std::result::Result<Created<()>, Refusal>> {
    let now = cold.environment.now();
    let mut tx = cold.sale.begin(organization).await?;
    if let Some(answer) = idempotency::note(&mut tx, organization, idempotency.as_ref()).await? {
        return Ok(answer);
    }
    let Some(row) = order_row::lock_one(&mut tx, organization, id).await? else {
        return Ok(Err(Refusal::not_found()));
    };
    if row.cut_short {
        return Ok(Err(Refusal::new(Code::NotPayable, "This order was given up.")));
    }
    let order = row.order()?;
    let earlier = attempts::facts_of(&mut tx, organization, id).await?;
    let facts = OrderFacts { state: order.state, total: order.total, pay_by: order.pay_by };
    if let Err(refusal) = may_open_attempt(&facts, &earlier, now) {
        return Ok(Err(refusal));
    }
    let number = u32::try_from(earlier.len())?.saturating_add(1);
    attempts::insert(&mut tx, organization, &attempt, (id, order.event), number, now).await?;
    touch(&mut tx, organization, id).await?;
    let mut facts = Facts::new(&*cold.environment, organization, now);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: id, state: order.state };
    facts.add(id.uuid(), order.version + 1, changed);
    facts.write(&mut tx).await?;
    tx.commit().await?;
    Ok(Ok(Created::Fresh(())))
}
