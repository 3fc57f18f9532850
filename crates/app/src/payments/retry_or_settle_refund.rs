//! Retries a refund that its provider refused, or settles it after the organizer returned the money in another way (P5).
//!
//! Only the money is open, because the tickets were revoked before the provider was called. Never: a second payout; a retry uses the refund's own key, and
//! the amount is checked again.

use voelgoed_domain::ids::{OrderId, OrganizationId, RefundId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::text;
use voelgoed_resilience::Capability;

use super::Payments;
use super::ports::Refund;
use crate::error::CommandResult;

/// The limit of the reference of a refund that was settled by hand.
pub const REFERENCE_CHARS_MAX: usize = 200;

impl Payments {
    /// Requests the refund from its provider again.
    ///
    /// # Errors
    /// `not_found`, `wrong_state` if it was not refused, `refund_too_large` if other refunds have returned the money meanwhile.
    pub async fn retry_refund(
        &self,
        organization: OrganizationId,
        order: OrderId,
        id: RefundId,
    ) -> CommandResult<Refund> {
        self.context.require(Capability::IssueAndRefund)?;
        self.of_order(organization, order, id).await?;
        let job = self.refund_job(organization, id)?;
        let refund = self.store.retry_refund(organization, id, job).await??;
        self.updates.order_changed(organization, order);
        Ok(refund)
    }

    /// Records that the money was returned outside of the platform, such as in the provider's console, in the ledger and the order.
    ///
    /// # Errors
    /// `not_found`, `wrong_state` if it was not refused, `refund_too_large` if other refunds have returned the money, `invalid_request` for the reference.
    pub async fn settle_refund(
        &self,
        organization: OrganizationId,
        order: OrderId,
        id: RefundId,
        reference: &str,
    ) -> CommandResult<Refund> {
        let reference = text::single_line("reference", reference, REFERENCE_CHARS_MAX)?;
        self.of_order(organization, order, id).await?;
        let now = self.context.now();
        let refund = self.store.settle_refund(organization, id, &reference, now).await??;
        self.updates.order_changed(organization, order);
        Ok(refund)
    }

    async fn of_order(&self, organization: OrganizationId, order: OrderId, id: RefundId) -> CommandResult<Refund> {
        let found = self.store.read_refund(organization, id).await?;
        Ok(found.filter(|refund| refund.order == order).ok_or_else(Refusal::not_found)?)
    }
}

/// Refuses an act that is possible only for a refused refund.
#[must_use]
pub fn not_refused() -> Refusal {
    Refusal::new(Code::WrongState, "The provider has not refused this refund; there is nothing to retry or to settle.")
}
