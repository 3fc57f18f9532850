//! Serves the availability of an event's places, whole and as a stream of changes that resumes without a gap (P10).

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use voelgoed_app::ticketing::Ticketing;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::Position;

use super::events::visible;
use super::sse::sse;
use crate::etag::etag_response;
use crate::extract::{BuyerSession, PathId, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, CachePolicy, Route, api};
use crate::state::Web;
use crate::stream_permits::StreamOwner;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(availability), Access::Buyer, Ticketing::NAME).of_a_sale().cache(AVAILABILITY_CACHE),
        api(routes!(stream), Access::Buyer, Ticketing::NAME).of_a_sale(),
    ]
}

const AVAILABILITY_CACHE: CachePolicy = CachePolicy::Revalidate;

/// The shape of an availability answer (written by the hot tier, for speed).
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailabilityDto {
    epoch: u64,
    seq: u64,
    /// When the state was read from the warm tier.
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    now: String,
    /// True where the warm tier is unavailable and this may be old.
    stale: bool,
    /// Base64 of 2 bits each: 0 free, 1 held, 2 sold, 3 blocked; place p is bits 2·(p mod 4) and up of byte p div 4.
    places: String,
    areas: Vec<AreaCountsDto>,
}

/// The number of places of an area in each state.
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
) -> HandlerResult<Response> {
    let (scope, _) = visible(&web, event).await?;
    let view = web.fanout.availability(scope).await?;
    let now = web.slices.context.now();
    let body = || ([(header::CONTENT_TYPE, "application/json")], view.json(now)).into_response();
    Ok(etag_response(&headers, &view.etag(now), AVAILABILITY_CACHE.header(), body))
}

/// The position from which a stream resumes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamParams {
    /// `epoch:seq` of the last event that was received; the header `Last-Event-ID` means the same.
    since: Option<String>,
}

/// Server-sent events: `snapshot`, `delta`, `stale`, `ended`; each `id` is `epoch:seq`.
#[utoipa::path(get, path = "/api/v1/events/{event}/stream", params(("event" = String, Path), StreamParams), tag = "ticketing",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn stream(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    QueryParams(params): QueryParams<StreamParams>,
    buyer: BuyerSession,
    headers: HeaderMap,
) -> HandlerResult<Response> {
    let (scope, listing) = visible(&web, event).await?;
    // A browser that reconnects repeats its first URL, so its header is newer.
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let since = last_seen.or(params.since).map(|text| text.parse::<Position>());
    let since = since.transpose().map_err(|error| {
        Refusal::new(Code::InvalidRequest, error.to_string()).with(|evidence| evidence.field = Some("since".to_owned()))
    })?;
    let (address, holder) = (buyer.address, buyer.session.uuid());
    let permit = web.viewer_streams.acquire(StreamOwner { address, organization: scope.organization, holder })?;
    let frames = web.fanout.subscribe(scope, since).await?;
    // A late viewer gets the state and the end of the stream.
    if listing.is_sale_over(web.slices.context.now()) {
        web.fanout.end(scope).await;
    }
    Ok(sse(permit.guard(frames), web.stopping.clone()))
}
