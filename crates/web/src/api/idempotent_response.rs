//! Answers a creating command with 201 or 204; a repeat with the same `Idempotency-Key` gets the stored response, marked by a header.

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;

use crate::json_response::json_response;
use crate::problem::HandlerResult;
use crate::state::Web;

/// Marks a response that repeats an earlier one.
pub const REPLAYED_HEADER: &str = "idempotency-replayed";

/// What a command needs to store its response, where the caller sent a key.
pub fn idempotent<V>(
    key: Option<IdempotencyKey>,
    render: &(dyn Fn(&V) -> Bytes + Send + Sync),
) -> Option<Idempotent<'_, V>> {
    key.map(|key| Idempotent { key, render })
}

/// The stored response to the same request, where a limit refuses the request now.
///
/// # Errors
/// `refused` where no response is stored; `idempotency_mismatch`.
pub async fn replay_or_refuse(
    web: &Web,
    organization: OrganizationId,
    key: &IdempotencyKey,
    refused: Refusal,
) -> HandlerResult<Response> {
    let outcome: Created<()> = web.slices.checkout.replays.replay_or(organization, key, refused.into()).await?;
    Ok(created_response(outcome, |()| Bytes::new()))
}

/// 201 with what the command created.
pub fn created_response<V>(outcome: Created<V>, render: impl Fn(&V) -> Bytes) -> Response {
    match outcome {
        Created::Fresh(view) => json_response(StatusCode::CREATED, render(&view)),
        Created::Replayed(body) => mark_replayed(json_response(StatusCode::CREATED, body)),
    }
}

/// 204, for a command that creates nothing with an address.
pub fn no_content_response(outcome: &Created<()>) -> Response {
    let response = StatusCode::NO_CONTENT.into_response();
    match outcome {
        Created::Fresh(()) => response,
        Created::Replayed(_) => mark_replayed(response),
    }
}

fn mark_replayed(mut replayed: Response) -> Response {
    replayed.headers_mut().insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
    replayed
}
