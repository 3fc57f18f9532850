//! Answers `GET /health` with the number of records and of undelivered callbacks.

use axum::Json;
use axum::extract::State;

use super::HttpContext;
use crate::protocol::ProviderHealth;
use crate::request_error::RequestError;

pub async fn show(State(context): State<HttpContext>) -> Result<Json<ProviderHealth>, RequestError> {
    let counts = context.state.read(|state| (state.record_count(), state.pending_callback_count()));
    let (records, callbacks_waiting) = counts.await?;
    Ok(Json(ProviderHealth { status: "ok".to_owned(), pid: std::process::id(), records, callbacks_waiting }))
}
