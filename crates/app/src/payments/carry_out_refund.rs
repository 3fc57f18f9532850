//! The job of a refund: its tickets are revoked everywhere, then their places are freed, then the provider is asked (P2, P6).
//!
//! Each step is idempotent and none is skipped, so it may be repeated from the start after any crash.

use serde::{Deserialize, Serialize};
use voelgoed_domain::ids::{OrganizationId, RefundId};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_resilience::{Capability, Degradation};

use voelgoed_telemetry::metrics::payments::{RefundStep, refund as refund_reached};

use super::ports::{Refund, RefundCharge, RefundObservation};
use super::send::provider_key;
use crate::error::{Fault, Result};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;
use crate::ticketing::rebuild::loaded;

/// The job's name.
pub const CARRY_OUT_REFUND: &str = "payments.carry_out_refund";

/// What the job is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CarryOutRefund {
    /// The refund.
    pub refund: RefundId,
}

/// Whether the refund is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundProgress {
    /// Done, or failed at the provider for a person to look at.
    Settled,
    /// The provider has not decided, or did not answer: ask again later.
    Open,
}

/// Takes the refund as far as it goes now.
///
/// # Errors
/// A fault of warm or cold; the job is repeated.
pub async fn carry_out_refund(
    platform: &Platform,
    organization: OrganizationId,
    id: RefundId,
) -> Result<RefundProgress> {
    let Some(refund) = platform.payments.read_refund(organization, id).await? else {
        return Err(Fault::internal(format!("refund {id} is not there")).into());
    };
    if !refund.tickets_revoked {
        revoke(platform, &refund).await?;
    }
    let seen = match refund.state {
        RefundState::Done | RefundState::Failed => return Ok(RefundProgress::Settled),
        // Tickets that cost nothing: there is nothing to ask of a provider.
        _ if refund.amount.is_zero() => RefundObservation::Done { provider_ref: String::new() },
        RefundState::Pending => ask(platform, &refund).await?,
        RefundState::Unknown => poll(platform, &refund).await?,
    };
    let state = platform.payments.record_refund(organization, id, seen.cleaned(), platform.environment.now()).await?;
    refund_reached(match state {
        RefundState::Done => RefundStep::Done,
        RefundState::Failed => RefundStep::Failed,
        RefundState::Pending => RefundStep::Pending,
        RefundState::Unknown => RefundStep::Unknown,
    });
    Ok(match state {
        RefundState::Done | RefundState::Failed => RefundProgress::Settled,
        RefundState::Pending | RefundState::Unknown => RefundProgress::Open,
    })
}

async fn revoke(platform: &Platform, refund: &Refund) -> Result<()> {
    let scope = EventScope { organization: refund.organization, event: refund.event };
    let less = platform.capable(Capability::IssueAndRefund)?;
    // Warm away: the gates ask cold alone, and the fact of the revocation waits in the outbox for warm's return.
    if !refund.tickets.is_empty() && less != Some(Degradation::WarmFollows) {
        loaded(platform, scope, || platform.inventory.mark_revoked(scope, &refund.tickets)).await?;
    }
    platform.payments.finish_revocation(refund.organization, refund.id, platform.environment.now()).await?;
    Ok(())
}

async fn ask(platform: &Platform, refund: &Refund) -> Result<RefundObservation> {
    let missing = || Fault::internal("a refund without its attempt");
    let payment = refund.payment.ok_or_else(missing)?;
    let attempt = platform.payments.read_attempt(refund.organization, payment).await?.ok_or_else(missing)?;
    let charge = RefundCharge { refund: refund.id, key: provider_key(&attempt), amount: refund.amount };
    Ok(platform.gateway(&refund.provider)?.refund(&charge).await)
}

/// Where the provider never heard of it, it is asked anew under the same key.
async fn poll(platform: &Platform, refund: &Refund) -> Result<RefundObservation> {
    match platform.gateway(&refund.provider)?.poll_refund(refund.id).await {
        RefundObservation::NotReached => ask(platform, refund).await,
        seen => Ok(seen),
    }
}
