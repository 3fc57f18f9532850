//! A provider in this process, and the plainest client of its HTTP calls.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use voelgoed_gateways::sandbox::protocol::{
    CancelAnswer, ChargeAnswer, ChargeRequest, ChargeState, MethodList, Problem, RefundAnswer, RefundRequest,
};
use voelgoed_gateways::sandbox::{Delays, Sandbox, SandboxConfig, SandboxError};

use super::{secret, until};

/// Fifty times as fast as life: `slow` takes 60 ms, `late` 160 ms, pauses between callbacks 10 to 600 ms.
pub const TIME_SCALE: f64 = 0.02;

/// A provider that runs, or that was killed.
#[derive(Debug)]
pub struct Provider {
    pub desk: Desk,
    tasks: JoinSet<Result<(), SandboxError>>,
}

/// The configuration of the tests.
pub fn config(data_file: &Path) -> SandboxConfig {
    let mut config = SandboxConfig::new("127.0.0.1:0".parse().unwrap(), data_file, secret());
    config.delays = Delays::default().scaled(TIME_SCALE);
    config
}

impl Provider {
    pub async fn start(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::open(config).await.unwrap();
        let desk = Desk::new(&sandbox.ready().url);
        let mut tasks = JoinSet::new();
        tasks.spawn(sandbox.run());
        Self { desk, tasks }
    }

    /// On the defaults of the tests.
    pub async fn plain(data_file: &Path) -> Self {
        Self::start(config(data_file)).await
    }

    /// Ends it without a goodbye.
    pub async fn kill(mut self) {
        assert!(self.tasks.try_join_next().is_none(), "it ended by itself before");
        self.tasks.shutdown().await;
    }
}

/// Calls to a provider.
#[derive(Debug, Clone)]
pub struct Desk {
    pub url: String,
    pub http: Client,
    pub authorization: String,
}

/// The provider's problem, or silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    Problem(u16, String),
    Silence,
}

impl No {
    pub fn code(&self) -> &str {
        match self {
            Self::Problem(_, code) => code,
            Self::Silence => "silence",
        }
    }
}

impl Desk {
    pub fn new(url: &str) -> Self {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { url: url.into(), http, authorization: secret().call_authorization() }
    }

    /// The same, less patient.
    pub fn within(&self, deadline: Duration) -> Self {
        let http = Client::builder().no_proxy().timeout(deadline).build().unwrap();
        Self { http, ..self.clone() }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, No> {
        let call = self.http.request(method, format!("{}{path}", self.url));
        let call = call.header("authorization", &self.authorization);
        let call = match body {
            Some(body) => call.json(body),
            None => call,
        };
        let response = call.send().await.map_err(|_| No::Silence)?;
        if response.status().is_success() {
            return response.json().await.map_err(|_| No::Silence);
        }
        Err(problem(response).await)
    }

    pub async fn charge(&self, request: &ChargeRequest) -> Result<ChargeAnswer, No> {
        self.call(Method::POST, "/charges", Some(request)).await
    }

    pub async fn poll(&self, key: &str) -> Result<ChargeAnswer, No> {
        self.call(Method::GET, &format!("/charges/{key}"), None::<&()>).await
    }

    pub async fn cancel(&self, key: &str) -> Result<CancelAnswer, No> {
        self.call(Method::POST, &format!("/charges/{key}/cancel"), None::<&()>).await
    }

    pub async fn refund(&self, key: &str, charge: &str, amount: i64) -> Result<RefundAnswer, No> {
        let request = RefundRequest { key: key.into(), charge: charge.into(), amount };
        self.call(Method::POST, "/refunds", Some(&request)).await
    }

    pub async fn poll_refund(&self, key: &str) -> Result<RefundAnswer, No> {
        self.call(Method::GET, &format!("/refunds/{key}"), None::<&()>).await
    }

    pub async fn methods(&self) -> MethodList {
        self.call(Method::GET, "/methods", None::<&()>).await.unwrap()
    }

    pub async fn health(&self) -> serde_json::Value {
        self.call(Method::GET, "/health", None::<&()>).await.unwrap()
    }

    /// Polls until the charge stands so.
    pub async fn until_state(&self, key: &str, state: ChargeState) -> ChargeAnswer {
        until(&format!("{key} {state:?}"), async || self.poll(key).await.ok().filter(|charge| charge.state == state))
            .await
    }

    /// Asks until no callback waits any more.
    pub async fn until_all_delivered(&self) {
        until("all callbacks delivered", async || (self.health().await["callbacks_waiting"] == 0).then_some(())).await;
    }
}

pub async fn problem(response: Response) -> No {
    let status = response.status().as_u16();
    response.json::<Problem>().await.map_or(No::Silence, |problem| No::Problem(status, problem.code))
}
