//! Sends HTTP requests to one server as any client of the API does, and reads whole responses; a lost response is an error.
//!
//! Never: a retry that a test did not ask for (only [`ApiClient::get`] repeats, on 503).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::until::until;

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
/// A server under load may answer reads with 503 for this long.
const OVERLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// A response that was read to its end.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl ApiResponse {
    /// The body of a response that must have this status.
    ///
    /// # Errors
    /// Another status; with the whole body.
    pub fn must(self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.body);
        Ok(self.json())
    }

    /// True for 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// True for 4xx.
    #[must_use]
    pub fn is_client_error(&self) -> bool {
        (400..500).contains(&self.status)
    }

    /// The body as JSON; null where it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The stable code of a problem; empty where the body is not a problem.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The text of a header; empty where it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    url: String,
}

/// The usual headers and the body of a request; see [`ApiClient::call`].
#[derive(Debug, Clone, Default)]
pub struct ApiCall<'a> {
    /// `Authorization: Bearer …`
    pub bearer: Option<&'a str>,
    /// `X-Session`
    pub session: Option<&'a str>,
    /// `X-Token`
    pub token: Option<&'a str>,
    /// `Idempotency-Key`
    pub key: Option<&'a str>,
    /// A JSON body.
    pub body: Option<&'a Value>,
}

impl ApiClient {
    /// A client of the server at `url`.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Self::from_address(url, 1)
    }

    /// A client whose connections come from `127.0.0.{last}`.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn from_address(url: &str, last: u8) -> anyhow::Result<Self> {
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last.max(1)));
        Self::build(url, reqwest::Client::builder().local_address(from))
    }

    /// A client that keeps cookies and follows no redirect, as a test of pages needs it.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn with_cookies(url: &str) -> anyhow::Result<Self> {
        Self::build(url, reqwest::Client::builder().cookie_store(true).redirect(Policy::none()))
    }

    fn build(url: &str, builder: reqwest::ClientBuilder) -> anyhow::Result<Self> {
        Ok(Self { http: builder.timeout(RESPONSE_TIMEOUT).no_proxy().build()?, url: url.to_owned() })
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request to complete and to pass to [`Self::send`].
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(Method::from_bytes(method.as_bytes()).unwrap_or_default(), self.url(path))
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// No whole response came, so it is unknown whether the request was served.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<ApiResponse> {
        let request = request.build()?;
        let what = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).await.with_context(|| what.clone())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.with_context(|| format!("{what}: the body"))?;
        Ok(ApiResponse { status, headers, body })
    }

    /// Sends a request with the usual headers.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn call(&self, method: Method, path: &str, call: ApiCall<'_>) -> anyhow::Result<ApiResponse> {
        let mut request = self.http.request(method, self.url(path));
        if let Some(key) = call.bearer {
            request = request.bearer_auth(key);
        }
        for (name, value) in [("x-session", call.session), ("x-token", call.token), ("idempotency-key", call.key)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(body) = call.body {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// The body of `GET path` as text, which must succeed.
    ///
    /// # Errors
    /// As [`Self::send`], or another status than success.
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        let response = self.send(self.request("GET", path)).await?;
        ensure!(response.is_success(), "GET {path}: {} {}", response.status, response.body);
        Ok(response.body)
    }

    /// The JSON of `GET path`, which must succeed; repeated while the server answers 503.
    ///
    /// # Errors
    /// As [`Self::send`], or another status than 200.
    pub async fn get(&self, path: &str, call: ApiCall<'_>) -> anyhow::Result<Value> {
        until("a response other than 503", OVERLOAD_TIMEOUT, || async {
            let response = self.call(Method::GET, path, call.clone()).await?;
            if response.status == 503 { Ok(None) } else { response.must(200).map(Some) }
        })
        .await
        .with_context(|| format!("GET {path}"))
    }
}
