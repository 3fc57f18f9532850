//! Handles a provider's callback: verifies its signature and replies with success only after the commit (P2, P3).
//!
//! A callback for an unknown attempt is counted and answered with success, so that the provider stops repeating it.

use voelgoed_domain::payments::decide::{Observation, PaymentDecision};
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::payments::{CallbackResult, provider_callback};

use super::Payments;
use super::ports::{Callback, CallbackRejected, PaymentGateway};
use crate::error::CommandResult;

impl Payments {
    /// Verifies and applies a callback.
    ///
    /// # Errors
    /// The inner error: the callback was rejected. The outer error: a fault or refusal, after which the provider must repeat the callback.
    pub async fn handle_callback(
        &self,
        provider: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> CommandResult<Result<(), CallbackRejected>> {
        // Refused as 503 before any work, so that the provider repeats it; polling finds what it does not repeat.
        if let Err(refused) = self.context.require(Capability::Callbacks) {
            provider_callback(provider, CallbackResult::Deferred);
            return Err(refused);
        }
        let gateway = self.gateway(provider)?;
        let callback = match gateway.verify_callback(headers, body, self.context.now()) {
            Ok(callback) => callback,
            // The signature is valid, but no repeat will name an attempt of this platform.
            Err(CallbackRejected::NotOurs) => {
                provider_callback(provider, CallbackResult::NoAttempt);
                return Ok(Ok(()));
            }
            Err(rejected) => {
                provider_callback(provider, CallbackResult::Rejected);
                return Ok(Err(rejected));
            }
        };
        let applied = self.apply_callback(&**gateway, callback).await;
        let result = match &applied {
            Ok(PaymentDecision::QueryProvider) => CallbackResult::Odd,
            Ok(PaymentDecision::NoAttempt) => CallbackResult::NoAttempt,
            Ok(PaymentDecision::Nothing) => CallbackResult::Repeated,
            Ok(_) => CallbackResult::Applied,
            Err(_) => CallbackResult::Deferred,
        };
        provider_callback(provider, result);
        applied?;
        Ok(Ok(()))
    }

    /// Applies the callback's observation. A capture of another amount than the charge raises an alarm, and a poll of the provider decides: a message alone
    /// is no proof.
    async fn apply_callback(&self, gateway: &dyn PaymentGateway, callback: Callback) -> CommandResult<PaymentDecision> {
        let Callback { key, observation } = callback;
        let claim = match observation {
            Observation::Captured { amount, provider_ref } => Observation::Claimed { amount, provider_ref },
            other => other,
        };
        let decision = self.apply_observation(key.organization, key.payment, claim.clone()).await?;
        let Observation::Claimed { amount, provider_ref } = claim else { return Ok(decision) };
        if decision != PaymentDecision::QueryProvider {
            return Ok(decision);
        }
        tracing::error!(organization = %key.organization, order = %key.order, payment = %key.payment, %amount, slice = "payments", "a callback claims another amount than the charge; polling the provider");
        let seen = gateway.poll(key).await;
        if matches!(seen, Observation::NoAnswer | Observation::NotReached | Observation::Absent) {
            let attempt = self.store.read_attempt(key.organization, key.payment).await?;
            if attempt.is_some_and(|attempt| attempt.state.is_unresolved()) {
                // The reconciler polls until the provider answers.
                return Ok(PaymentDecision::QueryProvider);
            }
            return self
                .apply_observation(key.organization, key.payment, Observation::Captured { amount, provider_ref })
                .await;
        }
        self.apply_observation(key.organization, key.payment, seen).await
    }
}
