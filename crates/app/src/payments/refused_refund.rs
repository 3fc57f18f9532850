//! A refund that its provider refused: an organizer has it asked for again, or says that the money went back without us (P5).
//!
//! The tickets were revoked before the provider was asked, so nothing of the refund but its money is open. Never: a second payout; asking again uses the
//! refund's own key, and the amount is judged once more.

use voelgoed_domain::ids::{OrderId, OrganizationId, RefundId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::text;
use voelgoed_resilience::Capability;

use super::open_refund::refund_job;
use super::ports::Refund;
use crate::error::Result;
use crate::platform::Platform;

/// The longest reference of a refund that was settled by hand, in characters.
pub const REFERENCE_MAX: usize = 200;

/// Has the provider asked again.
///
/// # Errors
/// `not_found`, `wrong_state` where it was not refused, `refund_too_large` where the money went back otherwise meanwhile.
pub async fn retry_refund(
    platform: &Platform,
    organization: OrganizationId,
    order: OrderId,
    id: RefundId,
) -> Result<Refund> {
    platform.capable(Capability::IssueAndRefund)?;
    of_order(platform, organization, order, id).await?;
    let job = refund_job(platform, organization, id)?;
    let refund = platform.payments.retry_refund(organization, id, job).await??;
    platform.order_views.forget(organization, order);
    Ok(refund)
}

/// Writes that the provider has given the money back without us, e.g. in its own console: the journal and the order say so.
///
/// # Errors
/// `not_found`, `wrong_state` where it was not refused, `refund_too_large` where other refunds have taken the money, `invalid_request` for the reference.
pub async fn settle_refund(
    platform: &Platform,
    organization: OrganizationId,
    order: OrderId,
    id: RefundId,
    reference: &str,
) -> Result<Refund> {
    let reference = text::line("reference", reference, REFERENCE_MAX)?;
    of_order(platform, organization, order, id).await?;
    let now = platform.environment.now();
    let refund = platform.payments.settle_refund(organization, id, &reference, now).await??;
    platform.order_views.forget(organization, order);
    Ok(refund)
}

/// The refusal of what only a refused refund allows.
#[must_use]
pub fn not_refused() -> Refusal {
    Refusal::new(Code::WrongState, "The provider has not refused this refund; there is nothing to retry or to settle.")
}

async fn of_order(platform: &Platform, organization: OrganizationId, order: OrderId, id: RefundId) -> Result<Refund> {
    let found = platform.payments.read_refund(organization, id).await?;
    Ok(found.filter(|refund| refund.order == order).ok_or_else(Refusal::not_found)?)
}
