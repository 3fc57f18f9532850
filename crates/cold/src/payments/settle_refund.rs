//! Settles a refused refund that was paid outside the platform, under the order's lock, so that a concurrent retry cannot pay it again (P5).

use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::payments::refund::RefundTransition;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::state_machine::StateMachine;
use voelgoed_domain::time::Timestamp;

use super::{record_refund, refused_refund};
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{DbError, DbResult};

pub(super) async fn settle(
    cold: &Cold,
    organization: OrganizationId,
    id: RefundId,
    reference: &str,
    now: Timestamp,
) -> DbResult<Result<Refund, Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let (order, refund) = match refused_refund::lock(&mut tx, organization, id).await? {
        Ok(locked) => locked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let state = refund.state.after(RefundTransition::Complete).map_err(DbError::internal)?;
    let detail = record_refund::ProviderDetail { reference: Some(reference), failure: None };
    record_refund::write(&mut tx, cold, &order, &refund, (state, detail), now).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Refund { state, failure: None, ..refund }))
}
