//! Who sits where: the whole of it, and a stream of its changes that resumes without a gap (P10).

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::Position;

use super::events::visible;
use super::sse::sse;
use crate::conditional::conditional;
use crate::extract::{Buyer, Params, PathId};
use crate::problem::{Answer, Problem};
use crate::state::Web;
use crate::streams::StreamOf;

/// The shape of an availability answer (written by the hot tier, for speed).
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailabilityDto {
    epoch: u64,
    seq: u64,
    /// When the state was last known to be so.
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    now: String,
    /// True where the warm tier is away and this may be old.
    stale: bool,
    /// Base64 of 2 bits each: 0 free, 1 held, 2 sold, 3 blocked; place p is bits 2·(p mod 4) and up of byte p div 4.
    places: String,
    areas: Vec<AreaCountsDto>,
}

/// How many places of an area stand how.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaCountsDto {
    area: String,
    free: u32,
    held: u32,
    sold: u32,
    blocked: u32,
}

/// The availability of every place, at one position.
#[utoipa::path(get, path = "/api/v1/events/{event}/availability", params(("event" = String, Path)), tag = "ticketing",
    responses((status = 200, body = AvailabilityDto), (status = 304, description = "as before"), (status = 404, body = Problem)))]
pub async fn availability(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (scope, _) = visible(&web, event).await?;
    let view = web.fanout.availability(scope).await?;
    let now = web.platform.environment.now();
    let body = || ([(header::CONTENT_TYPE, "application/json")], view.json(now)).into_response();
    Ok(conditional(&headers, &view.etag(now), "no-cache", body))
}

/// Where a stream goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Since {
    /// `epoch:seq` of the last thing seen; `Last-Event-ID` says the same.
    since: Option<String>,
}

/// Server-sent events: `snapshot`, `delta`, `stale`, `ended`; each `id` is `epoch:seq`.
#[utoipa::path(get, path = "/api/v1/events/{event}/stream", params(("event" = String, Path), Since), tag = "ticketing",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn stream(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    Params(params): Params<Since>,
    buyer: Buyer,
    headers: HeaderMap,
) -> Answer<Response> {
    let (scope, listing) = visible(&web, event).await?;
    // A browser that reconnects repeats its first URL, so its header is the newer word.
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let since = last_seen.or(params.since).map(|text| text.parse::<Position>());
    let since = since.transpose().map_err(|error| {
        Refusal::new(Code::InvalidRequest, error.to_string()).with(|evidence| evidence.field = Some("since".to_owned()))
    })?;
    let (address, holder) = (buyer.address, buyer.session.uuid());
    let permit = web.viewer_streams.enter(StreamOf { address, organization: scope.organization, holder })?;
    let frames = web.fanout.subscribe(scope, since).await?;
    // Who comes late gets the state, and is told at once that it is the last one.
    if listing.is_over(web.platform.environment.now()) {
        web.fanout.end(scope).await;
    }
    Ok(sse(permit.kept_by(frames), web.stopping.clone()))
}
