//! `voelgoed serve` as a child process on an empty data directory, and requests to it.
//!
//! Ended by its id when the value is dropped; its data directory goes with it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use voelgoed_testkit::port::free_address;

/// The operator's key of every server here.
pub const OPERATOR: &str = "operator-of-the-tests-0123456789abcdef";
/// A start on an empty directory takes at most this, also on a busy machine.
const START: Duration = Duration::from_secs(60);
/// A stop drains for at most 30 s by default.
const STOP: Duration = Duration::from_secs(40);
/// One request.
const ANSWER: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Limits so wide that no test meets them by accident.
pub const WIDE: &[(&str, &str)] = &[
    ("VOELGOED__LIMITS__SESSION_BURST", "10000000"),
    ("VOELGOED__LIMITS__ADDRESS_BURST", "10000000"),
    ("VOELGOED__LIMITS__HOLD_BURST", "10000000"),
    ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "10000000"),
    ("VOELGOED__LIMITS__LOGIN_BURST", "10000000"),
    ("VOELGOED__LIMITS__GUESS_BURST", "10000000"),
    ("VOELGOED__LIMITS__READ_BURST", "10000000"),
    ("VOELGOED__SERVER__CONNECTIONS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__BODIES_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__VIEWERS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__VIEWERS_PER_ORGANIZATION_MAX", "100000"),
    ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ORGANIZATION_MAX", "100000"),
    ("VOELGOED__LIMITS__ORGANIZER_WRITE_BURST", "10000000"),
];

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    child: Child,
    data: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it answers operators.
    pub internal: SocketAddr,
    client: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The stable code of a problem.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header's text; empty where it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Server {
    /// Starts one with `settings` (`VOELGOED__…`) and waits until it is ready.
    pub async fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let binary =
            std::env::var("VOELGOED_BIN").context("start this by `cargo xtask test`, which names the binary")?;
        let (address, internal): (SocketAddr, SocketAddr) = (free_address()?.parse()?, free_address()?.parse()?);
        let data = std::env::temp_dir().join(format!("voelgoed-api-{}-{}", std::process::id(), address.port()));
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &address.to_string(), "--internal-listen", &internal.to_string()]);
        command.arg("--data").arg(&data);
        command.env("VOELGOED__SECRETS__OPERATOR", OPERATOR).env("VOELGOED__LOG__FILTER", "error");
        command.envs(settings.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("the server does not start")?;
        let client = reqwest::Client::builder().timeout(ANSWER).build()?;
        let mut server = Self { child, data, address, internal, client };
        let ready = async {
            loop {
                let ready = server.client.get(server.internal_url("/readyz")).send().await;
                if ready.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(START, ready).await.is_err() {
            bail!("the server was not ready within {} s ({:?})", START.as_secs(), server.child.try_wait()?);
        }
        Ok(server)
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> &std::path::Path {
        &self.data
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The address of a path at the internal listener.
    #[must_use]
    pub fn internal_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.internal)
    }

    /// Makes an organization, as the operator does.
    pub async fn organization(&self, slug: &str) -> anyhow::Result<Value> {
        let body = serde_json::json!({"name": slug, "slug": slug});
        let request = self.client.post(self.internal_url("/api/v1/organizations")).bearer_auth(OPERATOR);
        self.success(request.json(&body), "POST /api/v1/organizations").await
    }

    /// A request to a path.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        self.client.request(method, self.url(path))
    }

    /// A request to a path of the internal listener.
    pub fn internal_request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        self.client.request(method, self.internal_url(path))
    }

    /// Sends a request and reads its answer.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.text().await? })
    }

    /// `POST` of JSON with a bearer's key (none where it is empty); the body of an answer that must be a success.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.request("POST", path).json(body);
        let request = if key.is_empty() { request } else { request.bearer_auth(key) };
        self.success(request, &format!("POST {path}")).await
    }

    /// `GET` with a bearer's key (none where it is empty); the body of an answer that must be a success.
    pub async fn get(&self, path: &str, key: &str) -> anyhow::Result<Value> {
        let request = self.request("GET", path);
        let request = if key.is_empty() { request } else { request.bearer_auth(key) };
        self.success(request, &format!("GET {path}")).await
    }

    async fn success(&self, request: RequestBuilder, what: &str) -> anyhow::Result<Value> {
        let answer = self.send(request).await?;
        anyhow::ensure!(answer.status.is_success(), "{what}: {} {}", answer.status, answer.body);
        Ok(answer.json())
    }

    /// Asks it to stop.
    pub fn terminate(&self) -> anyhow::Result<()> {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        anyhow::ensure!(status.success(), "the server is gone already");
        Ok(())
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let child = &mut self.child;
        let end = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    return Ok(status);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(STOP, end).await.context("the server did not stop in time")?
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
