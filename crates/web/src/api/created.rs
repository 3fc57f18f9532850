//! 201 with the rendered thing; a repeat of the request gets the very same bytes.

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
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
    let (body, replayed) = match outcome {
        Created::Fresh(view) => (render(&view), false),
        Created::Replayed(answer) => (answer, true),
    };
    let mut response = answer(StatusCode::CREATED, body);
    if replayed {
        response.headers_mut().insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
    }
    response
}
