//! A refund that its provider refused is asked for again, where its money has not gone back otherwise meanwhile (P5).

use voelgoed_app::jobs::ports::NewJob;
use voelgoed_app::outbox::fact::Fact;
use voelgoed_app::payments::ports::Refund;
use voelgoed_app::payments::refused_refund::not_refused;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::machine::Machine;
use voelgoed_domain::payments::refund::{RefundEvent, RefundState};
use voelgoed_domain::refusal::{Code, Refusal};

use super::{attempts, refunds};
use crate::accounts::audit::commit_act;
use crate::checkout::order_row::{self, touch};
use crate::db::{Error, Result, Sql, binds, sql};
use crate::facts::Facts;
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
) -> Result<std::result::Result<Refund, Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let Some(found) = refunds::read(&mut tx, organization, id).await? else { return Ok(Err(Refusal::not_found())) };
    let locked = order_row::lock_one(&mut tx, organization, found.order).await?;
    let order = locked.ok_or_else(|| Error::internal("a refund without its order"))?.order()?;
    let all = refunds::of_order(&mut tx, organization, order.id).await?;
    let refund = all.iter().find(|refund| refund.id == id).ok_or_else(|| Error::internal("a refund is gone"))?;
    if refund.state != RefundState::Failed {
        return Ok(Err(not_refused()));
    }
    if let Some(payment) = refund.payment {
        let attempt = attempts::read_row(&mut tx, organization, payment).await?;
        let attempt = attempt.ok_or_else(|| Error::internal("a refund without its attempt"))?;
        let captured = attempt.captured()?.map_or(order.total.amount, |captured| captured.amount);
        let counts = |other: &&Refund| other.payment == refund.payment && other.state != RefundState::Failed;
        let returned: i64 = all.iter().filter(counts).map(|other| other.amount.amount).sum();
        if returned.saturating_add(refund.amount.amount) > captured {
            let detail = "The money of this payment has gone back by other refunds meanwhile.";
            return Ok(Err(Refusal::new(Code::RefundTooLarge, detail)));
        }
    }
    let state = refund.state.after(RefundEvent::Retry).map_err(Error::internal)?;
    let refund = Refund { state, failure: None, ..refund.clone() };
    tx.execute(RETRY, binds![organization, id, state]).await?;
    touch(&mut tx, organization, order.id).await?;
    jobs::insert(&mut tx, std::slice::from_ref(job)).await?;
    let mut facts = Facts::new(&*cold.environment, organization, job.run_at);
    let changed = Fact::OrderChanged { event: order.event, order: order.id, state: order.state };
    facts.add(order.id.uuid(), order.version + 1, changed);
    facts.write(&mut tx).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(refund))
}
