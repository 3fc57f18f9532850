//! A written attempt is sent to its provider, outside any transaction, by whoever holds its lease (P2, P9).
//!
//! The lease is taken in cold right before the call, which also rechecks `send_before`; a silent sender is replaced after its lease by the reconciler.

use voelgoed_domain::ids::{OrganizationId, PaymentId};

use voelgoed_planted::{Bug, planted};

use super::learn::learn;
use super::ports::{Attempt, Charge, ProviderKey, SendLease};
use crate::error::{Error, Result};
use crate::platform::Platform;

/// The key under which an attempt's provider knows it.
#[must_use]
pub const fn provider_key(attempt: &Attempt) -> ProviderKey {
    ProviderKey { organization: attempt.organization, order: attempt.order, payment: attempt.id }
}

/// Sends the attempt unless another sender has it, its time is over, or a provider is not found yet: a node that has just started its own
/// has tried nothing, so nothing failed, and the reconciler comes back.
///
/// # Errors
/// A fault of the cold tier; the reconciler repeats it.
pub async fn send(platform: &Platform, organization: OrganizationId, payment: PaymentId) -> Result<()> {
    if platform.gateways.iter().any(|gateway| !gateway.is_found()) {
        return Ok(());
    }
    let now = platform.environment.now();
    let lease = SendLease { token: platform.environment.uuid(), until: now.plus(platform.times.send_lease) };
    let leased = match platform.payments.lease_send(organization, payment, lease, now).await? {
        None if planted(Bug::ChargedWithoutLease) => platform.payments.read_attempt(organization, payment).await?,
        leased => leased,
    };
    let Some(attempt) = leased else { return Ok(()) };
    let gateway = platform.gateway(&attempt.provider)?;
    let charge = Charge {
        key: provider_key(&attempt),
        amount: attempt.amount,
        method: attempt.method.clone(),
        send_before: attempt.send_before.min(lease.until),
        pay_by: attempt.pay_by,
    };
    let observation = gateway.charge(&charge).await;
    learn(platform, organization, payment, observation).await?;
    Ok(())
}

/// [`send`], with a fault written to the log: for tasks that have nobody to tell.
pub async fn send_quietly(platform: &Platform, organization: OrganizationId, payment: PaymentId) {
    match send(platform, organization, payment).await {
        Ok(()) => {}
        Err(Error::Refused(refusal)) => {
            tracing::error!(%organization, %payment, %refusal, slice = "payments", "an attempt names a provider that is not configured");
        }
        Err(Error::Fault(fault)) => {
            tracing::warn!(%organization, %payment, %fault, slice = "payments", "an attempt was not sent; the reconciler repeats it");
        }
    }
}
