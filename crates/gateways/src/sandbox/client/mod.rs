//! The shop's side of the sandbox provider: the payment port over its HTTP calls.
//!
//! Never: a guess (P2), a second charge of its own accord, a call without a deadline (P9). Who repeats a charge, and when, is decided
//! in `app`; here one call is one exchange, and how it ended is told as it was.
//! To add a call: its path and its reading of the answer in a file here, and the method of the port below.

mod announce;
mod callback;
mod directory;
mod exchange;
mod key;
mod observe;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Serialize;
use voelgoed_app::payments::ports::{
    Callback, CallbackRejected, Charge, PaymentGateway, ProviderKey, RefundCharge, RefundObservation,
};
use voelgoed_domain::ids::RefundId;
use voelgoed_domain::payments::decide::{Cancellation, Observation};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capabilities, Repeat};

pub use announce::AnnounceError;

use directory::Directory;
use exchange::{Call, Ended, Exchange};

use super::protocol::{ChargeRequest, METHODS, MethodList, RefundRequest};
use super::signature::CallbackSecret;

/// The name in requests and in the callback's URL.
pub const NAME: &str = "sandbox";

/// Every call ends after this long, whatever was heard.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Of which connecting may take this long.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// What the provider states of `late`, which cannot be cancelled: captures later than this after `pay_by` count as late. It keeps its word
/// badly, as real ones do: see `late` in the provider's delays.
pub const LATE_GRACE: Duration = Duration::from_secs(5);

/// The address while nobody has said where the provider is: port 1 refuses connections.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// How the gateway is set up.
#[derive(Debug, Clone)]
pub struct SandboxGatewayConfig {
    /// The provider's base URL, or [`NOWHERE`].
    pub url: String,
    /// Shared with the provider.
    pub callback_secret: CallbackSecret,
    /// The deadline of every call, [`CALL_DEADLINE`] unless something wants less.
    pub deadline: Duration,
}

impl SandboxGatewayConfig {
    /// The defaults around what has none.
    #[must_use]
    pub fn new(url: impl Into<String>, callback_secret: CallbackSecret) -> Self {
        Self { url: url.into(), callback_secret, deadline: CALL_DEADLINE }
    }
}

/// The sandbox provider as a [`PaymentGateway`].
pub struct SandboxGateway {
    exchange: Exchange,
    url: RwLock<String>,
    directory: Directory,
    callback_secret: CallbackSecret,
}

impl SandboxGateway {
    /// A gateway; nothing is called yet.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(config: SandboxGatewayConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            exchange: Exchange::new(config.deadline, config.callback_secret.call_authorization())?,
            url: RwLock::new(config.url),
            directory: Directory::default(),
            callback_secret: config.callback_secret,
        })
    }

    /// The same gateway, reporting the provider down while its breaker is open.
    #[must_use]
    pub fn reporting(mut self, capabilities: Capabilities) -> Self {
        self.exchange = self.exchange.reporting(capabilities);
        self
    }

    /// Asks whether the provider answers at all; how it went is reported by the guard.
    pub async fn ping(&self) {
        if let Ended::Answered(answer) = self.get("/methods").await
            && let Some(Ok(list)) = answer.read::<MethodList>()
        {
            self.directory.learn(list);
        }
    }

    /// The provider is at `url` from now on, e.g. because it was started again.
    pub fn move_to(&self, url: impl Into<String>) {
        *self.url.write().unwrap_or_else(PoisonError::into_inner) = url.into();
        self.directory.forget();
    }

    fn url(&self) -> String {
        self.url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A reading call; asking twice changes nothing.
    async fn get(&self, path: &str) -> Ended {
        let url = format!("{}{path}", self.url());
        let call = Call { method: Method::GET, url, headers: Vec::new(), body: Vec::new(), repeat: Repeat::Harmless };
        self.exchange.make(&call).await
    }

    /// Where charges of `method` are taken.
    async fn base_of(&self, method: &str) -> Result<String, Ended> {
        let here = self.url();
        if self.directory.base_of(method).as_ref() == Some(&here) {
            return Ok(here);
        }
        let answer = match self.get("/methods").await {
            Ended::Answered(answer) => answer,
            ended => return Err(ended),
        };
        if let Some(Ok(list)) = answer.read::<MethodList>() {
            self.directory.learn(list);
        }
        self.directory.base_of(method).ok_or(Ended::Answered(answer))
    }
}

#[async_trait]
impl PaymentGateway for SandboxGateway {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_found(&self) -> bool {
        self.url() != NOWHERE
    }

    fn has_method(&self, method: &str) -> bool {
        METHODS.contains(&method)
    }

    fn cancellation(&self, method: &str) -> Cancellation {
        if method == "late" { Cancellation::Unsupported { grace: LATE_GRACE } } else { Cancellation::AtProvider }
    }

    async fn charge(&self, charge: &Charge) -> Observation {
        let base = match self.base_of(&charge.method).await {
            Ok(base) => base,
            Err(ended) => return observe::unsent(&ended),
        };
        let request = ChargeRequest {
            key: key::text(charge.key),
            amount: charge.amount.amount,
            currency: charge.amount.currency.code().to_owned(),
            method: charge.method.clone(),
            send_before: charge.send_before,
            pay_by: Some(charge.pay_by),
        };
        let call = post(format!("{base}/charges"), &request, Repeat::OnlyUnsent);
        let at_home = base == self.url();
        observe::charge(if at_home {
            self.exchange.make(&call).await
        } else {
            self.exchange.make_elsewhere(&call).await
        })
    }

    async fn poll(&self, key: ProviderKey) -> Observation {
        observe::poll(self.get(&format!("/charges/{}", key::text(key))).await)
    }

    async fn cancel(&self, key: ProviderKey) -> Observation {
        let url = format!("{}/charges/{}/cancel", self.url(), key::text(key));
        observe::cancel(self.exchange.make(&post(url, &(), Repeat::Harmless)).await)
    }

    async fn refund(&self, refund: &RefundCharge) -> RefundObservation {
        let request = RefundRequest {
            key: refund.refund.to_string(),
            charge: key::text(refund.key),
            amount: refund.amount.amount,
        };
        let call = post(format!("{}/refunds", self.url()), &request, Repeat::Harmless);
        observe::refund(self.exchange.make(&call).await)
    }

    async fn poll_refund(&self, refund: RefundId) -> RefundObservation {
        observe::poll_refund(self.get(&format!("/refunds/{refund}")).await)
    }

    fn verify_callback(
        &self,
        headers: &[(String, String)],
        body: &[u8],
        now: Timestamp,
    ) -> Result<Callback, CallbackRejected> {
        callback::verify(&self.callback_secret, headers, body, now)
    }
}

fn post(url: String, body: &impl Serialize, repeat: Repeat) -> Call {
    let body = serde_json::to_vec(body).expect("a request is plain data with text keys");
    Call { method: Method::POST, url, headers: Vec::new(), body, repeat }
}
