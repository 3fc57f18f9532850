//! 201 with the rendered thing, or 204; a repeat of the request gets the very same answer.

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use voelgoed_app::error::Error;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent, replay_or};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;

use crate::problem::Answer;
use crate::rendered::answer;
use crate::state::Web;

/// Marks an answer that repeats an earlier one.
pub const REPLAYED_HEADER: &str = "idempotency-replayed";

/// A command's `Idempotent`, where the caller sent a key.
pub fn idempotent<V>(
    key: Option<IdempotencyKey>,
    render: &(dyn Fn(&V) -> Bytes + Send + Sync),
) -> Option<Idempotent<'_, V>> {
    key.map(|key| Idempotent { key, render })
}

/// What was answered to the same request before, where a limit refuses it now.
///
/// # Errors
/// `refused` where nothing was; `idempotency_mismatch`.
pub async fn replayed(
    web: &Web,
    organization: OrganizationId,
    key: &IdempotencyKey,
    refused: Refusal,
) -> Answer<Response> {
    let outcome: Created<()> = replay_or(&web.platform, organization, key, refused.into()).await?;
    Ok(created(outcome, |()| Bytes::new()))
}

/// The outcome of an organizer's creating command, or what was answered to the same request before, where it is refused now.
///
/// # Errors
/// As the command; `idempotency_mismatch`.
pub async fn or_replayed<V>(
    web: &Web,
    organization: OrganizationId,
    key: Option<&IdempotencyKey>,
    outcome: Result<Created<V>, Error>,
) -> Answer<Created<V>> {
    match (outcome, key) {
        (Err(refused), Some(key)) => Ok(replay_or(&web.platform, organization, key, refused).await?),
        (outcome, _) => Ok(outcome?),
    }
}

/// The answer to a creating command.
pub fn created<V>(outcome: Created<V>, render: impl Fn(&V) -> Bytes) -> Response {
    match outcome {
        Created::Fresh(view) => answer(StatusCode::CREATED, render(&view)),
        Created::Replayed(body) => marked(answer(StatusCode::CREATED, body)),
    }
}

/// 204, the answer to a command that makes nothing that has an address.
pub fn done(outcome: &Created<()>) -> Response {
    let response = StatusCode::NO_CONTENT.into_response();
    match outcome {
        Created::Fresh(()) => response,
        Created::Replayed(_) => marked(response),
    }
}

fn marked(mut replayed: Response) -> Response {
    replayed.headers_mut().insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
    replayed
}
