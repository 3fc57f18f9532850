//! Lists the holds of a buyer's session with the time left and a link to continue, for every page that shows them.
//!
//! Never: a hold of another session. The session's cookie opens its holds and orders without their tokens.

use axum::response::{IntoResponse, Redirect, Response};
use futures::future::join_all;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::{HoldId, SessionId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::hold::HoldPhase;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::formatting::{Moment, countdown, counted};
use crate::problem::HandlerResult;
use crate::state::Web;

/// Places that are listed by name; further ones are counted.
const NAMED_PLACES_MAX: usize = 6;

/// A hold as pages list it.
pub struct ReservedHold {
    /// The checkout, or the order that the hold became.
    pub href: String,
    /// The event's page.
    pub event_href: String,
    /// The event's name.
    pub event_name: String,
    /// The number of places with its unit.
    pub places: String,
    /// The labels of the places, joined by commas.
    pub labels: String,
    /// The expiry.
    pub until: Moment,
    /// Milliseconds until the expiry.
    pub left_millis: u64,
    /// The time until the expiry as `9:58`.
    pub left: String,
    /// True once the hold is an order.
    pub ordered: bool,
}

/// The holds of a session.
#[derive(Default)]
pub struct ReservedHolds {
    /// Newest first.
    pub holds: Vec<ReservedHold>,
    /// The places of all holds.
    pub places: Vec<PlaceNumber>,
    /// True if the holds could not be read.
    pub unknown: bool,
}

/// The holds of a session, only those of `event` where it is given.
pub async fn reserved_by(web: &Web, session: SessionId, event: Option<EventScope>) -> ReservedHolds {
    let found = match event {
        Some(scope) => web.slices.ticketing.session_holds_of(session, scope).await,
        None => web.slices.ticketing.session_holds(session).await,
    };
    let views = match found {
        Ok(views) => views,
        Err(error) => {
            tracing::info!(%error, slice = "ticketing", "the holds of a session could not be read");
            return ReservedHolds { unknown: true, ..ReservedHolds::default() };
        }
    };
    let places = views.iter().flat_map(|view| view.places.iter().map(|priced| priced.place)).collect();
    let holds = join_all(views.iter().map(|view| reserved_hold(web, view))).await;
    ReservedHolds { holds: holds.into_iter().flatten().collect(), places, unknown: false }
}

async fn reserved_hold(web: &Web, view: &HoldView) -> Option<ReservedHold> {
    let listing = web.slices.catalog.listings.listing(view.scope).await.ok()?;
    let event = &listing.event;
    let left = view.record.expires_at.since(view.now);
    let ordered = match view.record.phase {
        HoldPhase::Claimed { order } => {
            let token = web.slices.context.tokens.mint(TokenKind::Order, view.scope, order);
            Some(format!("/orders/{order}?token={token}"))
        }
        HoldPhase::Active | HoldPhase::Pinned { .. } => None,
    };
    let to_hold =
        || format!("/holds/{}?token={}", view.id, web.slices.context.tokens.mint(TokenKind::Hold, view.scope, view.id));
    let mut labels: Vec<_> = view.places.iter().take(NAMED_PLACES_MAX).map(|priced| priced.label.clone()).collect();
    if let Some(more @ 1..) = view.places.len().checked_sub(NAMED_PLACES_MAX) {
        labels.push(format!("and {more} more"));
    }
    Some(ReservedHold {
        ordered: ordered.is_some(),
        href: ordered.unwrap_or_else(to_hold),
        event_href: format!("/events/{}", event.id),
        event_name: event.name.clone(),
        places: counted(view.places.len() as u64, "place", "places"),
        labels: labels.join(", "),
        until: Moment::new(view.record.expires_at, &event.timezone),
        left_millis: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        left: countdown(left),
    })
}

/// The event of a hold that this session took.
///
/// # Errors
/// `not_found` for any other hold.
pub async fn scope_of_hold(web: &Web, session: Option<SessionId>, hold: HoldId) -> HandlerResult<EventScope> {
    let session = session.ok_or_else(Refusal::not_found)?;
    let noted = web.slices.ticketing.inventory.noted_holds(session).await?;
    let (scope, _) = noted.into_iter().find(|(_, id)| *id == hold).ok_or_else(Refusal::not_found)?;
    // The session's list is only a hint: reading the hold at its event confirms it.
    Ok(scope)
}

/// Redirects to the page of the session.
pub fn redirect_to_my_tickets() -> Response {
    Redirect::to("/mine").into_response()
}
