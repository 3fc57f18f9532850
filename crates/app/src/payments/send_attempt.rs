//! Sends a written payment attempt to its provider under a lease and outside of any transaction (P2, P9).
//!
//! The lease is taken in cold right before the call and checks `send_before` again. The reconciler replaces a sender whose lease has ended.

use voelgoed_domain::ids::{OrganizationId, PaymentId};

use super::Payments;
use super::ports::{Attempt, Charge, ProviderKey, SendLease};
use crate::error::{CommandError, CommandResult};

/// The key of an attempt at its provider.
#[must_use]
pub const fn provider_key(attempt: &Attempt) -> ProviderKey {
    ProviderKey { organization: attempt.organization, order: attempt.order, payment: attempt.id }
}

impl Payments {
    /// Sends the attempt, unless another sender has its lease, its time has passed, or a provider has no endpoint yet. In these cases the reconciler sends it
    /// later.
    ///
    /// # Errors
    /// A fault of the cold tier; the reconciler repeats it.
    pub async fn send_attempt(&self, organization: OrganizationId, payment: PaymentId) -> CommandResult<()> {
        if self.gateways.iter().any(|gateway| !gateway.has_endpoint()) {
            return Ok(());
        }
        let now = self.context.now();
        let lease =
            SendLease { token: self.context.environment.uuid(), until: now.plus(self.context.times.send_lease) };
        let leased = self.store.lease_send(organization, payment, lease, now).await?;
        let Some(attempt) = leased else { return Ok(()) };
        let gateway = self.gateway(&attempt.provider)?;
        let charge = Charge {
            key: provider_key(&attempt),
            amount: attempt.amount,
            method: attempt.method.clone(),
            send_before: attempt.send_before.min(lease.until),
            pay_by: attempt.pay_by,
        };
        let observation = gateway.charge(&charge).await;
        self.apply_observation(organization, payment, observation).await?;
        Ok(())
    }

    /// Runs [`Self::send_attempt`] and logs its error, for background tasks.
    pub async fn send_and_log(&self, organization: OrganizationId, payment: PaymentId) {
        match self.send_attempt(organization, payment).await {
            Ok(()) => {}
            Err(CommandError::Refused(refusal)) => {
                tracing::error!(%organization, %payment, %refusal, slice = "payments", "an attempt names a provider that is not configured");
            }
            Err(CommandError::Fault(fault)) => {
                tracing::warn!(%organization, %payment, %fault, slice = "payments", "an attempt was not sent; the reconciler repeats it");
            }
        }
    }
}
