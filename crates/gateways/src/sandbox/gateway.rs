//! Implements the `PaymentGateway` port: each method makes one HTTP call and returns what its outcome proves.
//!
//! Never: a guess (P2), a retry that could charge a second time, a call without a deadline (P9). `app` decides when a charge is sent again.

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
use voelgoed_resilience::{Capabilities, RetrySafety};

use super::call_limits::CALL_DEADLINE;
use super::http_call::{CallOutcome, HttpCall, HttpCaller};
use super::messages::{METHODS, MethodsView, SendCharge, SendRefund};
use super::method_endpoints::MethodEndpoints;
use super::signature::SandboxSecret;
use super::{charge_key, observe, verify_callback};

/// The provider's name in requests and in the callback's URL.
pub const NAME: &str = "sandbox";

/// The grace that the provider promises for `late`, which cannot be cancelled: a capture more than this after `pay_by` counts as late.
/// The provider breaks the promise on purpose, as real ones do; see `Delays::late` there.
pub const LATE_GRACE: Duration = Duration::from_secs(5);

/// The base URL while the provider's address is unknown: port 1 refuses connections.
pub const UNREACHABLE_URL: &str = "http://127.0.0.1:1";

/// How the gateway is set up.
#[derive(Debug, Clone)]
pub struct SandboxGatewayConfig {
    /// The provider's base URL, or [`UNREACHABLE_URL`].
    pub url: String,
    /// Shared with the provider.
    pub callback_secret: SandboxSecret,
    /// The deadline of every call; [`CALL_DEADLINE`] by default.
    pub deadline: Duration,
}

impl SandboxGatewayConfig {
    /// A configuration with the default deadline.
    #[must_use]
    pub fn new(url: impl Into<String>, callback_secret: SandboxSecret) -> Self {
        Self { url: url.into(), callback_secret, deadline: CALL_DEADLINE }
    }
}

/// The sandbox provider as a [`PaymentGateway`].
pub struct SandboxGateway {
    pub(super) http: HttpCaller,
    url: RwLock<String>,
    method_endpoints: MethodEndpoints,
    pub(super) callback_secret: SandboxSecret,
}

impl SandboxGateway {
    /// A gateway that has not called the provider yet.
    ///
    /// # Errors
    /// Where no HTTP client can be created.
    pub fn new(config: SandboxGatewayConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: HttpCaller::new(config.deadline, config.callback_secret.call_authorization())?,
            url: RwLock::new(config.url),
            method_endpoints: MethodEndpoints::default(),
            callback_secret: config.callback_secret,
        })
    }

    /// The same gateway, which reports the provider as down while its breaker is open.
    #[must_use]
    pub fn reporting(mut self, capabilities: Capabilities) -> Self {
        self.http = self.http.reporting(capabilities);
        self
    }

    /// Probes whether the provider answers; the guard reports the outcome.
    pub async fn ping(&self) {
        if let CallOutcome::Replied(reply) = self.get("/methods").await
            && let Some(Ok(methods)) = reply.read::<MethodsView>()
        {
            self.method_endpoints.replace(methods);
        }
    }

    /// Sets the provider's base URL, for example after it was started again on another port.
    pub fn set_url(&self, url: impl Into<String>) {
        *self.url.write().unwrap_or_else(PoisonError::into_inner) = url.into();
        self.method_endpoints.clear();
    }

    pub(super) fn url(&self) -> String {
        self.url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn get(&self, path: &str) -> CallOutcome {
        let call = HttpCall {
            method: Method::GET,
            url: format!("{}{path}", self.url()),
            headers: Vec::new(),
            body: Vec::new(),
            retry_safety: RetrySafety::Idempotent,
        };
        self.http.call(&call).await
    }

    /// The base URL for charges of `method`, asked of the provider unless it is the provider's own address.
    async fn charge_url(&self, method: &str) -> Result<String, CallOutcome> {
        let own_url = self.url();
        if self.method_endpoints.url_of(method).as_ref() == Some(&own_url) {
            return Ok(own_url);
        }
        let reply = match self.get("/methods").await {
            CallOutcome::Replied(reply) => reply,
            outcome => return Err(outcome),
        };
        if let Some(Ok(methods)) = reply.read::<MethodsView>() {
            self.method_endpoints.replace(methods);
        }
        self.method_endpoints.url_of(method).ok_or(CallOutcome::Replied(reply))
    }
}

#[async_trait]
impl PaymentGateway for SandboxGateway {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_endpoint(&self) -> bool {
        self.url() != UNREACHABLE_URL
    }

    fn has_method(&self, method: &str) -> bool {
        METHODS.contains(&method)
    }

    fn cancellation(&self, method: &str) -> Cancellation {
        if method == "late" { Cancellation::Unsupported { grace: LATE_GRACE } } else { Cancellation::AtProvider }
    }

    async fn charge(&self, charge: &Charge) -> Observation {
        let url = match self.charge_url(&charge.method).await {
            Ok(url) => url,
            Err(outcome) => return observe::unsent_charge(&outcome),
        };
        let body = SendCharge {
            key: charge_key::to_text(charge.key),
            amount: charge.amount.amount,
            currency: charge.amount.currency.code().to_owned(),
            method: charge.method.clone(),
            send_before: charge.send_before,
            pay_by: charge.pay_by,
        };
        let call = post(format!("{url}/charges"), &body, RetrySafety::OnlyIfUnsent);
        let outcome =
            if url == self.url() { self.http.call(&call).await } else { self.http.call_elsewhere(&call).await };
        observe::charge(outcome)
    }

    async fn poll(&self, key: ProviderKey) -> Observation {
        observe::poll(self.get(&format!("/charges/{}", charge_key::to_text(key))).await)
    }

    async fn cancel(&self, key: ProviderKey) -> Observation {
        let url = format!("{}/charges/{}/cancel", self.url(), charge_key::to_text(key));
        observe::cancel(self.http.call(&post(url, &(), RetrySafety::Idempotent)).await)
    }

    async fn refund(&self, refund: &RefundCharge) -> RefundObservation {
        let body = SendRefund {
            key: refund.refund.to_string(),
            charge: charge_key::to_text(refund.key),
            amount: refund.amount.amount,
        };
        let call = post(format!("{}/refunds", self.url()), &body, RetrySafety::Idempotent);
        observe::refund(self.http.call(&call).await)
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
        verify_callback::verify(&self.callback_secret, headers, body, now)
    }
}

fn post(url: String, body: &impl Serialize, retry_safety: RetrySafety) -> HttpCall {
    let body = serde_json::to_vec(body).expect("a request is plain data with text keys");
    HttpCall { method: Method::POST, url, headers: Vec::new(), body, retry_safety }
}
