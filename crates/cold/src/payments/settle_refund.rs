//! Settles a refused refund whose money went back without us: in one commit, under the order's lock, so that a retry at the same time cannot pay it too (P5).

use voelgoed_app::payments::ports::Refund;
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::machine::Machine;
use voelgoed_domain::payments::refund::RefundEvent;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::{record_refund, refused_refund};
use crate::Cold;
use crate::accounts::audit::commit_act;
use crate::db::{Error, Result};

pub(super) async fn settle(
    cold: &Cold,
    organization: OrganizationId,
    id: RefundId,
    reference: &str,
    now: Timestamp,
) -> Result<std::result::Result<Refund, Refusal>> {
    let mut tx = cold.sale.begin(organization).await?;
    let (order, refund) = match refused_refund::lock(&mut tx, organization, id).await? {
        Ok(locked) => locked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let state = refund.state.after(RefundEvent::Complete).map_err(Error::internal)?;
    let words = record_refund::ProviderWords { reference: Some(reference), failure: None };
    record_refund::write(&mut tx, cold, &order, &refund, (state, words), now).await?;
    commit_act(tx, organization).await?;
    Ok(Ok(Refund { state, failure: None, ..refund }))
}
