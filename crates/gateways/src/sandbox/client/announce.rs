//! Telling a provider that lives already where callbacks go from now on.

use reqwest::Method;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::Repeat;

use super::SandboxGateway;
use super::exchange::{Call, Ended};
use crate::sandbox::protocol::{CallbackTarget, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// The provider was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox provider was not told where callbacks go: {0}")]
pub struct AnnounceError(String);

impl SandboxGateway {
    /// Callbacks go to `url` from now on, and those that wait go at once. May be repeated.
    ///
    /// # Errors
    /// [`AnnounceError`] where the provider has not confirmed it.
    pub async fn announce_callback_url(&self, url: &str, now: Timestamp) -> Result<(), AnnounceError> {
        let target = CallbackTarget { url: url.to_owned() };
        let body = serde_json::to_vec(&target).map_err(|error| AnnounceError(error.to_string()))?;
        let (timestamp, signature) = self.callback_secret.sign(now, &body);
        let headers = vec![(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)];
        let url = format!("{}/callback-url", self.url());
        let call = Call { method: Method::PUT, url, headers, body, repeat: Repeat::Harmless };
        match self.exchange.make(&call).await {
            Ended::Answered(answer) if answer.status == 204 => Ok(()),
            Ended::Answered(answer) => Err(AnnounceError(format!("status {}", answer.status))),
            Ended::NotReached(detail) | Ended::NoAnswer(detail) => Err(AnnounceError(detail)),
        }
    }
}
