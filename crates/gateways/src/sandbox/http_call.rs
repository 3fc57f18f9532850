//! Makes one HTTP call through a guard, and distinguishes a reply, a request that surely was not sent, and a call with unknown outcome.
//!
//! Never: a retry after the request may have been executed unless the call is idempotent (P2); a call without deadline, bulkhead and
//! breaker (P9); a redirect, a proxy of the environment, or a reply of more than [`REPLY_BYTES_MAX`].

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use voelgoed_resilience::{CallFailure, Capabilities, Dependency, Guard, GuardError, GuardLimit, RetrySafety};

use super::call_limits::{CONNECT_TIMEOUT, ELSEWHERE_LIMIT, LIMIT};
use super::messages::ProviderError;

const REPLY_BYTES_MAX: usize = 64 * 1024;

/// How a call ended.
#[derive(Debug)]
pub enum CallOutcome {
    /// A complete reply, with any status.
    Replied(HttpReply),
    /// Surely nothing was sent.
    NotReached(String),
    /// The request may have been executed; no complete reply came in time.
    NoReply(String),
}

/// A complete reply.
#[derive(Debug)]
pub struct HttpReply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl HttpReply {
    /// The reply's `T`, or the provider's error where the status is not 2xx; none where the body is neither.
    pub fn read<T: DeserializeOwned>(&self) -> Option<Result<T, ProviderError>> {
        match self.status {
            200..=299 => serde_json::from_slice(&self.body).ok().map(Ok),
            _ => serde_json::from_slice(&self.body).ok().map(Err),
        }
    }
}

/// A call with everything that a retry needs.
#[derive(Debug)]
pub struct HttpCall {
    pub method: Method,
    pub url: String,
    /// Headers other than content type and authorization.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, or empty.
    pub body: Vec<u8>,
    pub retry_safety: RetrySafety,
}

/// The HTTP client with a guard for the provider's own address and one for other addresses.
pub struct HttpCaller {
    http: reqwest::Client,
    authorization: String,
    own_address: Guard,
    elsewhere: Guard,
}

impl HttpCaller {
    /// A caller whose calls end within `deadline` and carry this `Authorization`.
    pub fn new(deadline: Duration, authorization: String) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT.min(deadline / 2))
            .timeout(deadline)
            .build()?;
        let seed = u64::from(std::process::id());
        let guard = |limit| Guard::new(GuardLimit { deadline, attempt_timeout: deadline, ..limit }, seed);
        Ok(Self { http, authorization, own_address: guard(LIMIT), elsewhere: guard(ELSEWHERE_LIMIT) })
    }

    /// The same, which reports the provider as down while the breaker of its own address is open.
    pub fn reporting(mut self, capabilities: Capabilities) -> Self {
        self.own_address = self.own_address.reporting(capabilities, Dependency::PaymentProvider);
        self
    }

    /// Calls the provider's own address.
    pub async fn call(&self, call: &HttpCall) -> CallOutcome {
        self.guarded(&self.own_address, call).await
    }

    /// Calls another address that the provider lists for a method.
    pub async fn call_elsewhere(&self, call: &HttpCall) -> CallOutcome {
        self.guarded(&self.elsewhere, call).await
    }

    async fn guarded(&self, guard: &Guard, call: &HttpCall) -> CallOutcome {
        match guard.call(call.retry_safety, || self.attempt(call), AttemptError::failure).await {
            Ok(reply) => CallOutcome::Replied(reply),
            Err(GuardError::Failed { error: AttemptError::ServerError(reply), .. }) => CallOutcome::Replied(reply),
            Err(error) if error.is_ambiguous() => CallOutcome::NoReply(error.to_string()),
            Err(error) => CallOutcome::NotReached(error.to_string()),
        }
    }

    async fn attempt(&self, call: &HttpCall) -> Result<HttpReply, AttemptError> {
        let request = self
            .http
            .request(call.method.clone(), &call.url)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, &self.authorization);
        let headers = call.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(*name, value));
        let mut response = request.body(call.body.clone()).send().await.map_err(AttemptError::from)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| AttemptError::NoReply(with_causes(&error)))? {
            if body.len() + chunk.len() > REPLY_BYTES_MAX {
                return Err(AttemptError::NoReply("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let reply = HttpReply { status, body };
        if status >= 500 { Err(AttemptError::ServerError(reply)) } else { Ok(reply) }
    }
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    #[error("not reached: {0}")]
    NotReached(String),
    #[error("no answer: {0}")]
    NoReply(String),
    #[error("status {}", .0.status)]
    ServerError(HttpReply),
}

impl AttemptError {
    fn failure(&self) -> CallFailure {
        match self {
            Self::NotReached(_) => CallFailure::NotSent,
            Self::NoReply(_) | Self::ServerError(_) => CallFailure::Ambiguous,
        }
    }
}

impl From<reqwest::Error> for AttemptError {
    /// Only a failure to connect proves that no byte of the request left; a timeout or a closed connection proves nothing.
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() { Self::NotReached(with_causes(&error)) } else { Self::NoReply(with_causes(&error)) }
    }
}

/// An error's text with its causes, because reqwest's own text names only the outermost.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
