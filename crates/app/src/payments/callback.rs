//! A provider tells of a charge: believed only with its signature, answered with success only once it is committed (P2, P3).

use voelgoed_domain::payments::decide::Decision;
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::payments::{CallbackResult, provider_callback};

use super::learn::learn;
use super::ports::CallbackRejected;
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
        Err(rejected) => {
            provider_callback(provider, CallbackResult::Rejected);
            return Ok(Err(rejected));
        }
    };
    let learned = learn(platform, callback.key.organization, callback.key.payment, callback.observation).await;
    let result = match &learned {
        Ok(Decision::Nothing) => CallbackResult::Repeated,
        Ok(_) => CallbackResult::Applied,
        Err(_) => CallbackResult::Deferred,
    };
    provider_callback(provider, result);
    learned?;
    Ok(Ok(()))
}
