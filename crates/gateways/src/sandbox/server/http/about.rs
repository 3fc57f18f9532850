//! `GET /health`, `GET /methods`, `PUT /callback-url`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::Desk;
use crate::sandbox::protocol::{CallbackTarget, MethodList, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::sandbox::server::clock;
use crate::sandbox::server::refused::Refused;

#[derive(Debug, Serialize)]
pub struct Health {
    status: &'static str,
    pid: u32,
    records: usize,
    callbacks_waiting: usize,
}

pub async fn health(State(desk): State<Desk>) -> Result<Json<Health>, Refused> {
    let count = desk.provider.read(|books| (books.len(), books.waiting_count()));
    let (records, callbacks_waiting) = count.await?;
    Ok(Json(Health { status: "ok", pid: std::process::id(), records, callbacks_waiting }))
}

pub async fn methods(State(desk): State<Desk>) -> Json<MethodList> {
    Json(MethodList::clone(&desk.methods))
}

pub async fn retarget(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Refused> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secret = &desk.provider.config.callback_secret;
    let (timestamp, signature) = (header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER));
    secret.verify(timestamp, signature, &body, clock::now()).map_err(|_| Refused::NotBelieved)?;
    let target: CallbackTarget =
        serde_json::from_slice(&body).map_err(|error| Refused::Invalid(format!("body: {error}")))?;
    if !reqwest::Url::parse(&target.url).is_ok_and(|url| url.scheme() == "http") {
        return Err(Refused::Invalid("url: must be an absolute http URL".to_owned()));
    }
    desk.provider.retarget(&target.url).await?;
    Ok(StatusCode::NO_CONTENT)
}
