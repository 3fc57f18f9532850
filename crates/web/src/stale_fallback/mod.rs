//! Answers lists with the last answer to the same question while their store is unavailable, marked with its age (P10).
//!
//! Never: an old answer while the store answers; the answer of one caller for another (P7); a basis of any decision.
//! Every list of the API that organizers read passes [`organizer_list_fallback`]; a new one needs nothing.

mod keys;

pub use keys::{EventListKey, OrganizerListKey};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use voelgoed_app::catalog::ports::{EventSummary, ProgrammeRequest};
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::last_known::LastKnownValue;
use voelgoed_telemetry::metrics::cache::{CacheRead, cache_read};

use crate::extract::Organizer;
use crate::json_response::json_response;
use crate::problem::HandlerResult;
use crate::state::Web;

/// A longer answer is not stored.
const STORED_BYTES_MAX: usize = 256 * 1024;
/// How the JSON of every list begins.
const LIST_PREFIX: &[u8] = b"{\"items\":";

/// Stores the answers of lists, and answers a 503 of a list with the stored one.
pub async fn organizer_list_fallback(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let caller = request.extensions().get::<Organizer>().cloned();
    let path = request.uri().path_and_query().map(ToString::to_string);
    let response = next.run(request).await;
    if !matches!(response.status(), StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE) {
        return response;
    }
    let (Some(caller), Some(path)) = (caller, path) else { return response };
    let Organizer { organization, actor, scopes, .. } = caller;
    let key = OrganizerListKey { organization, actor, scopes, path };
    match response.status() {
        StatusCode::OK => store(&web, key, response).await,
        StatusCode::SERVICE_UNAVAILABLE => match web.last_lists.get(&key) {
            Some(known) => {
                cache_read("lists", CacheRead::Stale);
                stale_list(&known, web.slices.context.now())
            }
            None => response,
        },
        _ => response,
    }
}

async fn store(web: &Web, key: OrganizerListKey, response: Response) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json {
        return response;
    }
    let (parts, body) = response.into_parts();
    // The whole body is in memory: the handler rendered it a moment ago.
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    if bytes.starts_with(LIST_PREFIX) && bytes.len() <= STORED_BYTES_MAX {
        web.last_lists.store(key, bytes.clone());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The list with `stale`, `at` and `now` before its items.
fn stale_list(known: &LastKnownValue<Bytes>, now: Timestamp) -> Response {
    let mut body = format!(r#"{{"stale":true,"at":"{}","now":"{now}","#, known.at).into_bytes();
    body.extend_from_slice(&known.value[1..]);
    let mut response = json_response(StatusCode::OK, body.into());
    response.headers_mut().insert(header::AGE, now.since(known.at).as_secs().into());
    response
}

/// Published events, read now or while the catalog last answered.
pub struct PublishedEvents {
    /// The events.
    pub page: Page<EventSummary>,
    /// When the events were read, where that is not now.
    pub stale_since: Option<Timestamp>,
}

/// The published events, as the API lists them.
///
/// # Errors
/// A fault of the catalog, where the same list was not read before.
pub async fn published_events(
    web: &Web,
    organization: Option<OrganizationId>,
    page: PageRequest,
) -> HandlerResult<PublishedEvents> {
    let key = EventListKey::List { organization, after: page.after, items_max: page.limit };
    or_last_known(web, key, web.slices.catalog.store.events(organization, true, page).await)
}

/// A part of the programme, as the front page shows it.
///
/// # Errors
/// A fault of the catalog, where the same list was not read before.
pub async fn programme(web: &Web, request: ProgrammeRequest) -> HandlerResult<PublishedEvents> {
    let key = EventListKey::Programme { past: request.past, after: request.after, items_max: request.limit };
    or_last_known(web, key, web.slices.catalog.store.programme(request).await)
}

fn or_last_known(
    web: &Web,
    key: EventListKey,
    read: StoreResult<Page<EventSummary>>,
) -> HandlerResult<PublishedEvents> {
    match read {
        Ok(page) => {
            web.last_events.store(key, page.clone());
            Ok(PublishedEvents { page, stale_since: None })
        }
        Err(fault @ (Fault::Unavailable { .. } | Fault::Ambiguous { .. })) => {
            let known = web.last_events.get(&key).ok_or(fault)?;
            cache_read("events", CacheRead::Stale);
            Ok(PublishedEvents { page: known.value, stale_since: Some(known.at) })
        }
        Err(fault) => Err(fault.into()),
    }
}
