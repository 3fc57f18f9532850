//! JSON over HTTP, as any client of the API does it. An answer is told as it was; a lost one is an error.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::Value;

use crate::until::until;

/// No answer takes longer.
const ANSWER: Duration = Duration::from_secs(30);

/// A server under load may turn reading away for this long.
const BUSY: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, null where there is none.
    pub body: Value,
    /// `X-Session`, where the server gave one.
    pub session: Option<String>,
}

impl Answer {
    /// The body of an answer that must have this status.
    ///
    /// # Errors
    /// With the whole answer, where it has another.
    pub fn must(self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.body);
        Ok(self.body)
    }

    /// The problem's code; empty where it is no problem.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

/// A request to make; see [`Client::call`].
#[derive(Debug, Clone, Default)]
pub struct Call<'a> {
    /// `Authorization: Bearer …`
    pub bearer: Option<&'a str>,
    /// `X-Session`
    pub session: Option<&'a str>,
    /// `X-Token`
    pub token: Option<&'a str>,
    /// `Idempotency-Key`
    pub key: Option<&'a str>,
    /// The body.
    pub body: Option<&'a Value>,
}

impl Client {
    /// A client of the server at `url`, with connections of its own from `127.0.0.{address}`.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn from_address(url: &str, address: u8) -> anyhow::Result<Self> {
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, address.max(1)));
        let http = reqwest::Client::builder().local_address(from).timeout(ANSWER).no_proxy().build()?;
        Ok(Self { http, url: url.to_owned() })
    }

    /// A client of the server at `url`.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Self::from_address(url, 1)
    }

    /// Makes one request.
    ///
    /// # Errors
    /// Where no whole answer came: nobody knows what became of it then.
    pub async fn call(&self, method: Method, path: &str, call: Call<'_>) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
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
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status().as_u16();
        let session = answer.headers().get("x-session").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = answer.bytes().await.with_context(|| format!("{method} {path}: the body"))?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, body, session })
    }

    /// The body of `GET path` as text, which must be a success.
    ///
    /// # Errors
    /// Where no whole answer came, or another status.
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        let answer =
            self.http.get(format!("{}{path}", self.url)).send().await.with_context(|| format!("GET {path}"))?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// `GET path`, which must succeed; a server that says it is busy is asked again.
    ///
    /// # Errors
    /// As [`Self::call`], or another status than 200.
    pub async fn get(&self, path: &str, call: Call<'_>) -> anyhow::Result<Value> {
        until("a calmer server", BUSY, || async {
            let answer = self.call(Method::GET, path, call.clone()).await?;
            if answer.status == 503 { Ok(None) } else { answer.must(200).map(Some) }
        })
        .await
        .with_context(|| format!("GET {path}"))
    }
}
