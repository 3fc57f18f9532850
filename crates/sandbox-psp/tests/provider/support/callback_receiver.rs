//! Receives callbacks like a shop, verifies their signature, and answers each as the test configured.

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
use voelgoed_sandbox_psp::protocol::CallbackBody;

use super::{now, secret};

/// How one callback is answered.
#[derive(Debug, Clone, Copy)]
pub enum CallbackAnswer {
    Status(u16),
    Redirect,
    /// No answer; the connection stays open.
    Silence,
}

/// A callback with its raw bytes.
#[derive(Debug, Clone)]
pub struct ReceivedCallback {
    pub bytes: Vec<u8>,
    pub body: CallbackBody,
}

#[derive(Debug, Default)]
struct ReceiverState {
    received: Vec<ReceivedCallback>,
    /// The answers to the next callbacks; 204 once it is empty.
    answers: VecDeque<CallbackAnswer>,
}

/// A running receiver.
#[derive(Debug)]
pub struct CallbackReceiver {
    pub url: String,
    state: Arc<Mutex<ReceiverState>>,
    /// Stops the server when dropped.
    _tasks: JoinSet<()>,
}

impl CallbackReceiver {
    pub async fn open() -> Self {
        Self::with_answers([]).await
    }

    pub async fn with_answers(answers: impl IntoIterator<Item = CallbackAnswer>) -> Self {
        let state =
            Arc::new(Mutex::new(ReceiverState { received: Vec::new(), answers: answers.into_iter().collect() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callback", listener.local_addr().unwrap());
        let router = Router::new().route("/callback", post(receive)).with_state(state.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, _tasks: tasks }
    }

    pub fn received(&self) -> Vec<ReceivedCallback> {
        self.state.lock().unwrap().received.clone()
    }

    /// The callbacks of one charge, in order of arrival.
    pub fn for_key(&self, key: &str) -> Vec<ReceivedCallback> {
        self.received().into_iter().filter(|received| received.body.key == key).collect()
    }
}

async fn receive(State(state): State<Arc<Mutex<ReceiverState>>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let value = |name| headers[name].to_str().unwrap();
    let (timestamp, signature) = (value("x-sandbox-timestamp"), value("x-sandbox-signature"));
    assert_eq!(secret().verify(timestamp, signature, &bytes, now()), Ok(()));
    let answer = {
        let mut state = state.lock().unwrap();
        let body = serde_json::from_slice(&bytes).unwrap();
        state.received.push(ReceivedCallback { bytes: bytes.to_vec(), body });
        state.answers.pop_front().unwrap_or(CallbackAnswer::Status(204))
    };
    match answer {
        CallbackAnswer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        CallbackAnswer::Redirect => (StatusCode::TEMPORARY_REDIRECT, [("location", "/callback")]).into_response(),
        CallbackAnswer::Silence => std::future::pending().await,
    }
}
