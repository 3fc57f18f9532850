//! `POST /refunds`, `GET /refunds/{key}`.

use axum::Json;
use axum::extract::{Path, State};

use super::{Body, Desk, body};
use crate::sandbox::protocol::{RefundAnswer, RefundRequest};
use crate::sandbox::server::refused::Refused;

pub async fn open(State(desk): State<Desk>, request: Body<RefundRequest>) -> Result<Json<RefundAnswer>, Refused> {
    let request = body(request)?;
    let most_records = desk.provider.config.most_records;
    desk.provider.change(|books, now| books.refund(&request, now, most_records)).await.map(Json)
}

pub async fn show(State(desk): State<Desk>, Path(key): Path<String>) -> Result<Json<RefundAnswer>, Refused> {
    desk.provider.read(|books| books.refund_answer(&key)).await?.map(Json)
}
