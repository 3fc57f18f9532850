//! Registers the shop's callback URL with a provider that already runs, by a signed `PUT /callback-url`.

use reqwest::Method;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::RetrySafety;

use super::SandboxGateway;
use super::http_call::{CallOutcome, HttpCall};
use super::messages::{SIGNATURE_HEADER, SetCallbackUrl, TIMESTAMP_HEADER};

/// The provider has not confirmed the callback URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox provider did not confirm the callback URL: {0}")]
pub struct RegisterCallbackUrlError(String);

impl SandboxGateway {
    /// Has callbacks sent to `url` from now on; pending callbacks are sent at once. Idempotent.
    ///
    /// # Errors
    /// [`RegisterCallbackUrlError`] where the provider has not confirmed the URL.
    pub async fn register_callback_url(&self, url: &str, now: Timestamp) -> Result<(), RegisterCallbackUrlError> {
        let body =
            serde_json::to_vec(&SetCallbackUrl { url }).map_err(|error| RegisterCallbackUrlError(error.to_string()))?;
        let (timestamp, signature) = self.callback_secret.sign(now, &body);
        let headers = vec![(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)];
        let url = format!("{}/callback-url", self.url());
        let call = HttpCall { method: Method::PUT, url, headers, body, retry_safety: RetrySafety::Idempotent };
        match self.http.call(&call).await {
            CallOutcome::Replied(reply) if reply.status == 204 => Ok(()),
            CallOutcome::Replied(reply) => Err(RegisterCallbackUrlError(format!("status {}", reply.status))),
            CallOutcome::NotReached(detail) | CallOutcome::NoReply(detail) => Err(RegisterCallbackUrlError(detail)),
        }
    }
}
