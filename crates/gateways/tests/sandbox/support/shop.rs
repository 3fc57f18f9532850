//! A shop that takes callbacks, as badly as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use voelgoed_gateways::sandbox::protocol::CallbackBody;

use super::{now, secret, until};

/// How the shop answers one callback.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// With a status.
    Status(u16),
    /// By sending the caller elsewhere.
    Redirect,
    /// Never.
    Silence,
}

/// A callback as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    pub body: CallbackBody,
}

#[derive(Debug, Default)]
struct Inside {
    received: Vec<Received>,
    /// For the next callbacks; 204 once it is empty.
    manners: VecDeque<Manner>,
}

/// A shop that runs.
#[derive(Debug)]
pub struct Shop {
    pub url: String,
    inside: Arc<Mutex<Inside>>,
    /// Ends with the shop.
    _tasks: JoinSet<()>,
}

impl Shop {
    pub async fn open() -> Self {
        Self::with_manners([]).await
    }

    pub async fn with_manners(manners: impl IntoIterator<Item = Manner>) -> Self {
        let inside = Arc::new(Mutex::new(Inside { received: Vec::new(), manners: manners.into_iter().collect() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callback", listener.local_addr().unwrap());
        let router = Router::new().route("/callback", post(take)).with_state(inside.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inside, _tasks: tasks }
    }

    pub fn received(&self) -> Vec<Received> {
        self.inside.lock().unwrap().received.clone()
    }

    /// The callbacks for a key, as they came.
    pub fn about(&self, key: &str) -> Vec<Received> {
        self.received().into_iter().filter(|received| received.body.key == key).collect()
    }

    /// Waits until so many callbacks came, lost answers included.
    pub async fn until_received(&self, count: usize) -> Vec<Received> {
        until(&format!("{count} callbacks"), async || Some(self.received()).filter(|all| all.len() >= count)).await
    }
}

async fn take(State(inside): State<Arc<Mutex<Inside>>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let value = |name: &str| headers.iter().find(|(header, _)| header == name).unwrap().1.clone();
    let (timestamp, signature) = (value("x-sandbox-timestamp"), value("x-sandbox-signature"));
    assert_eq!(secret().verify(&timestamp, &signature, &bytes, now()), Ok(()));
    let manner = {
        let mut inside = inside.lock().unwrap();
        let body = serde_json::from_slice(&bytes).unwrap();
        inside.received.push(Received { headers, bytes: bytes.to_vec(), body });
        inside.manners.pop_front().unwrap_or(Manner::Status(204))
    };
    match manner {
        Manner::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Manner::Redirect => (StatusCode::TEMPORARY_REDIRECT, [("location", "/callback")]).into_response(),
        Manner::Silence => std::future::pending().await,
    }
}
