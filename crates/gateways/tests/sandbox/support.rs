//! Starts a provider in this process and a receiver for its callbacks, and polls until a condition holds.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use voelgoed_domain::time::Timestamp;
use voelgoed_gateways::sandbox::SandboxSecret;
use voelgoed_sandbox_psp::protocol::{CallbackBody, ProviderHealth};
use voelgoed_sandbox_psp::{CallbackSecret, Delays, SandboxConfig, SandboxError, SandboxProvider};

const WAIT_MAX: Duration = Duration::from_secs(20);
const SECRET: &str = "a secret between two tests";
/// Fifty times as fast as the default: `slow` takes 60 ms, `late` 160 ms.
const TIME_SCALE: f64 = 0.02;

/// The gateway's copy of the secret.
pub fn secret() -> SandboxSecret {
    SandboxSecret::new(SECRET).unwrap()
}

/// The machine's time, as the provider reads it.
pub fn now() -> Timestamp {
    Timestamp::default().plus(SystemTime::UNIX_EPOCH.elapsed().unwrap())
}

/// Polls `probe` until it returns a value.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let polling = async {
        let mut tick = interval(Duration::from_millis(5));
        loop {
            tick.tick().await;
            if let Some(value) = probe().await {
                return value;
            }
        }
    };
    timeout(WAIT_MAX, polling).await.unwrap_or_else(|_| panic!("timed out waiting for: {what}"))
}

/// A provider in this process.
#[derive(Debug)]
pub struct InProcessProvider {
    pub url: String,
    tasks: JoinSet<Result<(), SandboxError>>,
}

/// The provider's configuration, with its data file in `directory`.
pub fn config(directory: &Path) -> SandboxConfig {
    let secret = CallbackSecret::new(SECRET).unwrap();
    let mut config = SandboxConfig::new("127.0.0.1:0".parse().unwrap(), directory.join("charges.jsonl"), secret);
    config.delays = Delays::default().scaled(TIME_SCALE);
    config
}

impl InProcessProvider {
    pub async fn start(config: SandboxConfig) -> Self {
        let provider = SandboxProvider::open(config).await.unwrap();
        let url = provider.endpoint().url.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(provider.run());
        Self { url, tasks }
    }

    /// Stops it as a kill would.
    pub async fn kill(mut self) {
        assert!(self.tasks.try_join_next().is_none(), "the provider ended before it was killed");
        self.tasks.shutdown().await;
    }

    pub async fn until_all_callbacks_delivered(&self) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let pending = async || {
            let health = http.get(format!("{}/health", self.url)).send().await.unwrap();
            health.json::<ProviderHealth>().await.unwrap().callbacks_waiting
        };
        until("all callbacks delivered", async || (pending().await == 0).then_some(())).await;
    }
}

/// A callback with its raw bytes.
#[derive(Debug, Clone)]
pub struct StoredCallback {
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    pub body: CallbackBody,
}

/// An HTTP server that stores callbacks and answers 204.
#[derive(Debug)]
pub struct CallbackInbox {
    pub url: String,
    received: Arc<Mutex<Vec<StoredCallback>>>,
    /// Stops the server when dropped.
    _tasks: JoinSet<()>,
}

impl CallbackInbox {
    pub async fn open() -> Self {
        let received = Arc::<Mutex<Vec<StoredCallback>>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callback", listener.local_addr().unwrap());
        let router = Router::new().route("/callback", post(store)).with_state(received.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, _tasks: tasks }
    }

    pub fn received(&self) -> Vec<StoredCallback> {
        self.received.lock().unwrap().clone()
    }

    pub async fn until_received(&self, count: usize) -> Vec<StoredCallback> {
        until(&format!("{count} callbacks"), async || Some(self.received()).filter(|all| all.len() >= count)).await
    }
}

async fn store(
    State(received): State<Arc<Mutex<Vec<StoredCallback>>>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> StatusCode {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let body = serde_json::from_slice(&bytes).unwrap();
    received.lock().unwrap().push(StoredCallback { headers, bytes: bytes.to_vec(), body });
    StatusCode::NO_CONTENT
}
