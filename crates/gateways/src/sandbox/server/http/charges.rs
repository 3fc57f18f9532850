//! `POST /charges`, `GET /charges/{key}`, `POST /charges/{key}/cancel`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Body, Desk, body};
use crate::sandbox::protocol::{CancelAnswer, ChargeAnswer, ChargeRequest};
use crate::sandbox::server::method::behaviour;
use crate::sandbox::server::refused::Refused;

pub async fn open(State(desk): State<Desk>, request: Body<ChargeRequest>) -> Result<Json<ChargeAnswer>, Response> {
    let request = body(request).map_err(IntoResponse::into_response)?;
    let config = &desk.provider.config;
    let decide = desk.provider.change(|books, now| books.charge(&request, now, &config.delays, config.most_records));
    let answer = decide.await.map_err(IntoResponse::into_response)?;
    if behaviour(&request.method).is_none_or(|behaviour| behaviour.answers) {
        return Ok(Json(answer));
    }
    // The caller hangs up first; this handler is then dropped with its connection. One caller too many hears what tells as little as silence.
    if let Ok(_kept) = desk.kept_waiting.try_acquire() {
        tokio::time::sleep(config.delays.hang).await;
    }
    Err(StatusCode::GATEWAY_TIMEOUT.into_response())
}

pub async fn show(State(desk): State<Desk>, Path(key): Path<String>) -> Result<Json<ChargeAnswer>, Refused> {
    desk.provider.read(|books| books.charge_answer(&key)).await?.map(Json)
}

pub async fn cancel(State(desk): State<Desk>, Path(key): Path<String>) -> Result<Json<CancelAnswer>, Refused> {
    let most_records = desk.provider.config.most_records;
    desk.provider.change(|books, now| books.cancel(&key, now, most_records)).await.map(Json)
}
