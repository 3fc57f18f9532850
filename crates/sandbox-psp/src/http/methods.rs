//! Answers `GET /methods` with the base URL for charges of each method.

use axum::Json;
use axum::extract::State;

use super::HttpContext;
use crate::protocol::MethodList;

pub async fn list(State(context): State<HttpContext>) -> Json<MethodList> {
    Json(MethodList::clone(&context.methods))
}
