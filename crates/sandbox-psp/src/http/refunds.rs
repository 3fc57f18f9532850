//! Answers `POST /refunds` and `GET /refunds/{key}`.

use axum::Json;
use axum::extract::{Path, State};

use super::{HttpContext, JsonBody, parsed};
use crate::protocol::{RefundChargeRequest, RefundReply};
use crate::request_error::RequestError;

pub async fn create(
    State(context): State<HttpContext>,
    request: JsonBody<RefundChargeRequest>,
) -> Result<Json<RefundReply>, RequestError> {
    let request = parsed(request)?;
    let records_max = context.state.config.records_max;
    context.state.change(|state, now| state.refund(&request, now, records_max)).await.map(Json)
}

pub async fn show(
    State(context): State<HttpContext>,
    Path(key): Path<String>,
) -> Result<Json<RefundReply>, RequestError> {
    context.state.read(|state| state.refund_reply(&key)).await?.map(Json)
}
