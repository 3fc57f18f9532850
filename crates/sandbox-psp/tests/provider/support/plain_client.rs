//! Makes the provider's HTTP calls without retries, independently of the gateway in `crates/gateways`.

use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use voelgoed_sandbox_psp::protocol::{
    CancelReply, ChargeReply, ChargeRequest, ChargeState, ErrorBody, MethodList, ProviderHealth, RefundChargeRequest,
    RefundReply,
};

use super::{secret, until};

/// A client of one provider.
#[derive(Debug, Clone)]
pub struct PlainClient {
    pub url: String,
    pub http: Client,
    pub authorization: String,
}

/// A call without a successful reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailedCall {
    /// An error body, with its status and its code.
    Refused(u16, String),
    /// No readable reply.
    NoReply,
}

impl FailedCall {
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(_, code) => code,
            Self::NoReply => "no reply",
        }
    }
}

impl PlainClient {
    pub fn new(url: &str) -> Self {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { url: url.into(), http, authorization: secret().call_authorization() }
    }

    /// The same client with another timeout.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let http = Client::builder().no_proxy().timeout(timeout).build().unwrap();
        Self { http, ..self.clone() }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, FailedCall> {
        let call = self.http.request(method, format!("{}{path}", self.url));
        let call = call.header("authorization", &self.authorization);
        let call = match body {
            Some(body) => call.json(body),
            None => call,
        };
        let response = call.send().await.map_err(|_| FailedCall::NoReply)?;
        if response.status().is_success() {
            return response.json().await.map_err(|_| FailedCall::NoReply);
        }
        Err(failure(response).await)
    }

    pub async fn charge(&self, request: &ChargeRequest) -> Result<ChargeReply, FailedCall> {
        self.call(Method::POST, "/charges", Some(request)).await
    }

    pub async fn poll(&self, key: &str) -> Result<ChargeReply, FailedCall> {
        self.call(Method::GET, &format!("/charges/{key}"), None::<&()>).await
    }

    pub async fn cancel(&self, key: &str) -> Result<CancelReply, FailedCall> {
        self.call(Method::POST, &format!("/charges/{key}/cancel"), None::<&()>).await
    }

    pub async fn refund(&self, key: &str, charge: &str, amount: i64) -> Result<RefundReply, FailedCall> {
        let request = RefundChargeRequest { key: key.into(), charge: charge.into(), amount };
        self.call(Method::POST, "/refunds", Some(&request)).await
    }

    pub async fn poll_refund(&self, key: &str) -> Result<RefundReply, FailedCall> {
        self.call(Method::GET, &format!("/refunds/{key}"), None::<&()>).await
    }

    pub async fn methods(&self) -> MethodList {
        self.call(Method::GET, "/methods", None::<&()>).await.unwrap()
    }

    pub async fn health(&self) -> ProviderHealth {
        self.call(Method::GET, "/health", None::<&()>).await.unwrap()
    }

    /// Polls until the charge has this state.
    pub async fn until_state(&self, key: &str, state: ChargeState) -> ChargeReply {
        until(&format!("{key} {state:?}"), async || self.poll(key).await.ok().filter(|charge| charge.state == state))
            .await
    }

    /// Polls until no callback is pending.
    pub async fn until_all_delivered(&self) {
        until("all callbacks delivered", async || (self.health().await.callbacks_waiting == 0).then_some(())).await;
    }
}

/// Reads the error body of a response.
pub async fn failure(response: Response) -> FailedCall {
    let status = response.status().as_u16();
    response.json::<ErrorBody>().await.map_or(FailedCall::NoReply, |error| FailedCall::Refused(status, error.code))
}
