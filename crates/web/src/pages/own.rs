//! What a buyer's session has reserved, with the time left and the way on; the same on every page that shows it.
//!
//! Never: something of another session. Whoever brings the session's cookie may open its holds and orders without their tokens.

use axum::response::{IntoResponse, Redirect, Response};
use futures::future::join_all;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::session_holds::{session_holds, session_holds_of};
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::HoldPhase;
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::hold::clock_of;
use super::text::{Moment, counted};
use crate::problem::Answer;
use crate::state::Web;

/// So many places are named; of more only their number is said.
const NAMED_MAX: usize = 6;

/// A hold as pages list it.
pub struct OwnHold {
    /// Where to go on.
    pub href: String,
    /// The event.
    pub event_href: String,
    /// Its name.
    pub event_name: String,
    /// How many places.
    pub places: String,
    /// Which.
    pub labels: String,
    /// Until when they are kept.
    pub until: Moment,
    /// For how long.
    pub left_millis: u64,
    /// The same for people.
    pub left: String,
    /// True once an order is made of it.
    pub ordered: bool,
}

/// Everything that a session has reserved.
#[derive(Default)]
pub struct Own {
    /// The holds, newest first.
    pub holds: Vec<OwnHold>,
    /// Their places.
    pub places: Vec<PlaceNumber>,
    /// True where it could not be looked up.
    pub unknown: bool,
}

/// What the session has reserved, of one event where given.
pub async fn of_session(web: &Web, session: SessionId, event: Option<EventScope>) -> Own {
    let found = match event {
        Some(scope) => session_holds_of(&web.platform, session, scope).await,
        None => session_holds(&web.platform, session).await,
    };
    let views = match found {
        Ok(views) => views,
        Err(error) => {
            tracing::info!(%error, slice = "ticketing", "the holds of a session could not be read");
            return Own { unknown: true, ..Own::default() };
        }
    };
    let places = views.iter().flat_map(|view| view.places.iter().map(|priced| priced.place)).collect();
    let holds = join_all(views.iter().map(|view| own_hold(web, view))).await;
    Own { holds: holds.into_iter().flatten().collect(), places, unknown: false }
}

async fn own_hold(web: &Web, view: &HoldView) -> Option<OwnHold> {
    let listing = web.platform.listings.listing(view.scope).await.ok()?;
    let event = &listing.event;
    let left = view.record.expires_at.since(view.now);
    let ordered = match view.record.phase {
        HoldPhase::Claimed { order } => {
            let token = web.platform.tokens.mint(TokenKind::Order, view.scope, order);
            Some(format!("/orders/{order}?token={token}"))
        }
        HoldPhase::Active | HoldPhase::Pinned { .. } => None,
    };
    let to_hold =
        || format!("/holds/{}?token={}", view.id, web.platform.tokens.mint(TokenKind::Hold, view.scope, view.id));
    let mut labels: Vec<_> = view.places.iter().take(NAMED_MAX).map(|priced| priced.label.clone()).collect();
    if let Some(more @ 1..) = view.places.len().checked_sub(NAMED_MAX) {
        labels.push(format!("and {more} more"));
    }
    Some(OwnHold {
        ordered: ordered.is_some(),
        href: ordered.unwrap_or_else(to_hold),
        event_href: format!("/events/{}", event.id),
        event_name: event.name.clone(),
        places: counted(view.places.len() as u64, "place", "places"),
        labels: labels.join(", "),
        until: Moment::new(view.record.expires_at, &event.timezone),
        left_millis: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        left: clock_of(left),
    })
}

/// The event of a hold that this session took.
///
/// # Errors
/// `not_found` for any other hold.
pub async fn scope_of_hold(web: &Web, session: Option<SessionId>, hold: HoldId) -> Answer<EventScope> {
    let session = session.ok_or_else(Refusal::not_found)?;
    let noted = web.platform.inventory.noted_holds(session).await?;
    let (scope, _) = noted.into_iter().find(|(_, id)| *id == hold).ok_or_else(Refusal::not_found)?;
    // The note alone proves nothing that the event does not confirm; a hold that is over became an order of this session, or nothing.
    Ok(scope)
}

/// Leads to what a session has.
pub fn to_mine() -> Response {
    Redirect::to("/mine").into_response()
}
