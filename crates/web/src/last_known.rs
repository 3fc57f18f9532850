//! Lists and figures while their store is away: what was answered last to the same question, marked with its age (P10).
//!
//! Never: an old answer while the store answers; one caller's answer for another (P7: organization, actor and scopes are part of what was asked);
//! a basis of any decision. Every list of the API that organizers read passes here; a new one needs nothing.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use voelgoed_app::catalog::ports::{EventSummary, ProgrammeRequest};
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::last_known::Known;
use voelgoed_telemetry::metrics::cache::{CacheRead, cache_read};

use crate::extract::Organizer;
use crate::problem::Answer;
use crate::rendered::answer;
use crate::state::Web;

/// A longer answer is not kept.
const LONGEST: usize = 256 * 1024;
/// How every list begins.
const LIST: &[u8] = b"{\"items\":";

/// What an organizer asked: for whom, by whom, what they may, and the path with its query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AskedList {
    organization: OrganizationId,
    actor: String,
    scopes: Vec<Scope>,
    path: String,
}

/// What the shop's list of events was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskedEvents {
    /// By the API.
    List {
        /// Of this organization only.
        organization: Option<OrganizationId>,
        /// After this event.
        after: Option<uuid::Uuid>,
        /// How many.
        most: u32,
    },
    /// By the front page; when that was does not matter.
    Programme {
        /// Past events.
        past: bool,
        /// After this one.
        after: Option<(Timestamp, EventId)>,
        /// How many.
        most: u32,
    },
}

/// Keeps what lists answer, and answers with that where they cannot.
pub async fn organizer_lists(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    if !matches!(response.status(), StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE) {
        return response;
    }
    // Asked for afterwards, so that a wrong key is one guess, by the handler.
    let caller = Organizer::from_request_parts(&mut asked, &web).await.ok();
    let path = asked.uri.path_and_query().map(ToString::to_string);
    let (Some(caller), Some(path)) = (caller, path) else { return response };
    let Organizer { organization, actor, scopes, .. } = caller;
    let asked = AskedList { organization, actor, scopes, path };
    match response.status() {
        StatusCode::OK => keep(&web, asked, response).await,
        StatusCode::SERVICE_UNAVAILABLE => match web.last_lists.recall(&asked) {
            Some(known) => {
                cache_read("lists", CacheRead::Stale);
                marked(&known, web.platform.environment.now())
            }
            None => response,
        },
        _ => response,
    }
}

async fn keep(web: &Web, asked: AskedList, response: Response) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json {
        return response;
    }
    let (parts, body) = response.into_parts();
    // Rendered a moment ago: it is in memory, whole.
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    if bytes.starts_with(LIST) && bytes.len() <= LONGEST {
        web.last_lists.keep(asked, bytes.clone());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The list with `stale`, `at` and `now` before its items.
fn marked(known: &Known<Bytes>, now: Timestamp) -> Response {
    let mut body = format!(r#"{{"stale":true,"at":"{}","now":"{now}","#, known.at).into_bytes();
    body.extend_from_slice(&known.value[1..]);
    let mut response = answer(StatusCode::OK, body.into());
    response.headers_mut().insert(header::AGE, age(known.at, now).into());
    response
}

fn age(at: Timestamp, now: Timestamp) -> u64 {
    let age: Duration = now.since(at);
    age.as_secs()
}

/// Published events, and since when they are only what was known last.
pub struct PublishedEvents {
    /// The events.
    pub page: Page<EventSummary>,
    /// Absent where they were read now.
    pub stale_since: Option<Timestamp>,
}

/// The published events, as pages and the API show them.
///
/// # Errors
/// A fault of the cold tier, where nothing is known from before.
pub async fn published_events(
    web: &Web,
    organization: Option<OrganizationId>,
    page: PageRequest,
) -> Answer<PublishedEvents> {
    let asked = AskedEvents::List { organization, after: page.after, most: page.most };
    or_known(web, asked, web.platform.catalog.events(organization, true, page).await)
}

/// A part of the programme, as the front page shows it.
///
/// # Errors
/// A fault of the cold tier, where nothing is known from before.
pub async fn programme(web: &Web, request: ProgrammeRequest) -> Answer<PublishedEvents> {
    let asked = AskedEvents::Programme { past: request.past, after: request.after, most: request.most };
    or_known(web, asked, web.platform.catalog.programme(request).await)
}

fn or_known(web: &Web, asked: AskedEvents, read: StoreResult<Page<EventSummary>>) -> Answer<PublishedEvents> {
    match read {
        Ok(page) => {
            web.last_events.keep(asked, page.clone());
            Ok(PublishedEvents { page, stale_since: None })
        }
        Err(fault @ (Fault::Away { .. } | Fault::Ambiguous { .. })) => {
            let known = web.last_events.recall(&asked).ok_or(fault)?;
            cache_read("events", CacheRead::Stale);
            Ok(PublishedEvents { page: known.value, stale_since: Some(known.at) })
        }
        Err(fault) => Err(fault.into()),
    }
}
