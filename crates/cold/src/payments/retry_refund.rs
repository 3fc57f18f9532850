//! Retries a refund that its provider refused, unless its money was refunded otherwise meanwhile (P5).

use voelgoed_app::jobs::ports::NewJob;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::payments::refund::RefundTransition;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::state_machine::StateMachine;

use super::refused_refund;
use crate::accounts::audit::commit_act;
use crate::checkout::order_row::bump_version;
use crate::db::{DbError, DbResult, Sql, binds, sql};
use crate::outbox::OutboxBatch;
use crate::{Cold, jobs};

const RETRY: Sql = sql(
    "payments.retry_refund",
    "update refunds set state = $3, failure = null where organization_id = $1 and id = $2 and state = 'failed'",
);

pub(super) async fn retry(
    cold: &Cold,
    organization: OrganizationId,
    id: RefundId,
    job: &NewJob,
) -> DbResult<Result<Refund, Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let (order, refund) = match refused_refund::lock(&mut tx, organization, id).await? {
        Ok(locked) => locked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let state = refund.state.after(RefundTransition::Retry).map_err(DbError::internal)?;
    let refund = Refund { state, failure: None, ..refund };
    tx.execute(RETRY, binds![organization, id, state]).await?;
    bump_version(&mut tx, organization, order.id).await?;
    jobs::insert(&mut tx, std::slice::from_ref(job)).await?;
    let mut events = OutboxBatch::new(&*cold.environment, organization, job.run_at);
    let changed = OutboxEvent::OrderChanged { event: order.event, order: order.id, state: order.state };
    events.add(order.id.uuid(), order.version + 1, changed);
    events.write(&mut tx).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(refund))
}
