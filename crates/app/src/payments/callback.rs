//! A provider tells of a charge: believed only with its signature, answered with success only once it is committed (P2, P3).
//!
//! What can never become right is counted and answered with success too, so that the provider does not repeat it for ever.

use voelgoed_domain::payments::decide::{Decision, Observation};
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::payments::{CallbackResult, provider_callback};

use super::learn::learn;
use super::ports::{Callback, CallbackRejected, PaymentGateway};
use crate::error::Result;
use crate::platform::Platform;

/// Takes a callback in.
///
/// # Errors
/// The inner error is why it was not believed; the outer one is a fault, after which the provider must repeat.
pub async fn callback(
    platform: &Platform,
    provider: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<std::result::Result<(), CallbackRejected>> {
    // Refused as 503 before anything is looked at, so that the provider repeats it; what it does not repeat is found by polling.
    if let Err(refused) = platform.capable(Capability::Callbacks) {
        provider_callback(provider, CallbackResult::Deferred);
        return Err(refused);
    }
    let gateway = platform.gateway(provider)?;
    let callback = match gateway.verify_callback(headers, body, platform.environment.now()) {
        Ok(callback) => callback,
        // It is the provider's, and no repeat can make it ours.
        Err(CallbackRejected::NotOurs) => {
            provider_callback(provider, CallbackResult::NoAttempt);
            return Ok(Ok(()));
        }
        Err(rejected) => {
            provider_callback(provider, CallbackResult::Rejected);
            return Ok(Err(rejected));
        }
    };
    let learned = believe(platform, &**gateway, callback).await;
    let result = match &learned {
        Ok(Decision::Ask) => CallbackResult::Odd,
        Ok(Decision::NoAttempt) => CallbackResult::NoAttempt,
        Ok(Decision::Nothing) => CallbackResult::Repeated,
        Ok(_) => CallbackResult::Applied,
        Err(_) => CallbackResult::Deferred,
    };
    provider_callback(provider, result);
    learned?;
    Ok(Ok(()))
}

/// Learns what the callback says. A capture of another amount than was asked for is an alarm, and the provider's word on being asked decides: a message
/// alone neither gives money back nor keeps an order from its end.
async fn believe(platform: &Platform, gateway: &dyn PaymentGateway, callback: Callback) -> Result<Decision> {
    let Callback { key, observation } = callback;
    let claim = match observation {
        Observation::Captured { amount, provider_ref } => Observation::Claimed { amount, provider_ref },
        other => other,
    };
    let decision = learn(platform, key.organization, key.payment, claim.clone()).await?;
    let Observation::Claimed { amount, provider_ref } = claim else { return Ok(decision) };
    if decision != Decision::Ask {
        return Ok(decision);
    }
    tracing::error!(organization = %key.organization, order = %key.order, payment = %key.payment, %amount, slice = "payments", "a callback claims another amount than was asked for; the provider is asked");
    let seen = gateway.poll(key).await;
    if matches!(seen, Observation::NoAnswer | Observation::NotReached | Observation::Absent) {
        let attempt = platform.payments.read_attempt(key.organization, key.payment).await?;
        if attempt.is_some_and(|attempt| attempt.state.is_unresolved()) {
            // The reconciler asks again until the provider answers.
            return Ok(Decision::Ask);
        }
        return learn(platform, key.organization, key.payment, Observation::Captured { amount, provider_ref }).await;
    }
    learn(platform, key.organization, key.payment, seen).await
}
