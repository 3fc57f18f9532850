//! Answers `POST /charges`, `GET /charges/{key}` and `POST /charges/{key}/cancel`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{HttpContext, JsonBody, parsed};
use crate::payment_methods::behaviour_of;
use crate::protocol::{CancelReply, ChargeReply, ChargeRequest};
use crate::request_error::RequestError;

pub async fn create(
    State(context): State<HttpContext>,
    request: JsonBody<ChargeRequest>,
) -> Result<Json<ChargeReply>, Response> {
    let request = parsed(request).map_err(IntoResponse::into_response)?;
    let config = &context.state.config;
    let change = context.state.change(|state, now| state.charge(&request, now, &config.delays, config.records_max));
    let reply = change.await.map_err(IntoResponse::into_response)?;
    if behaviour_of(&request.method).is_none_or(|behaviour| behaviour.replies) {
        return Ok(Json(reply));
    }
    // The caller usually hangs up first, which drops this handler with its connection. Without a permit the 504 comes at once; to the
    // shop both mean that the outcome is unknown.
    if let Ok(_permit) = context.hung_callers.try_acquire() {
        tokio::time::sleep(config.delays.hang).await;
    }
    Err(StatusCode::GATEWAY_TIMEOUT.into_response())
}

pub async fn show(
    State(context): State<HttpContext>,
    Path(key): Path<String>,
) -> Result<Json<ChargeReply>, RequestError> {
    context.state.read(|state| state.charge_reply(&key)).await?.map(Json)
}

pub async fn cancel(
    State(context): State<HttpContext>,
    Path(key): Path<String>,
) -> Result<Json<CancelReply>, RequestError> {
    let records_max = context.state.config.records_max;
    context.state.change(|state, now| state.cancel(&key, now, records_max)).await.map(Json)
}
