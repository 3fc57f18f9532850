//! Lists the published events on the front page, coming or past ones, each with its date, lowest price and state of sale.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::join_all;
use voelgoed_app::catalog::ports::{EventSummary, ProgrammeRequest};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::time::Timestamp;

use super::cover_picture::cover;
use super::degraded_notice::last_known_notice;
use super::event::offers::Offers;
use super::form::{Form, Query};
use super::formatting::{Moment, money};
use super::page_layout::{PageLayout, html_page};
use super::reserved_holds::{self, ReservedHolds};
use super::sale_state::SaleState;
use crate::extract::KnownSession;
use crate::problem::HandlerResult;
use crate::stale_fallback::programme;
use crate::state::Web;

/// Events on one page.
const EVENTS_PER_PAGE: u32 = 24;
struct EventCard {
    href: String,
    name: String,
    venue: String,
    starts: Moment,
    price: Option<String>,
    sale: SaleState,
    cover: u8,
}

#[derive(Template)]
#[template(path = "shop/event_list.html")]
struct EventListPage {
    page_layout: PageLayout,
    reserved: ReservedHolds,
    cards: Vec<EventCard>,
    next: Option<String>,
    past: bool,
    stale: Option<String>,
}

/// Reads `past` and the cursor `after`; an invalid cursor starts from the beginning.
fn programme_request(form: &Form, now: Timestamp) -> ProgrammeRequest {
    let after = form.get("after").and_then(|cursor| {
        let (at, event) = cursor.split_once('.')?;
        Some((Timestamp::from_micros(at.parse().ok()?), EventId::from_uuid(event.parse().ok()?)))
    });
    ProgrammeRequest { past: form.get("past").is_some(), now, after, limit: EVENTS_PER_PAGE }
}

/// Shows the page.
pub async fn show(
    State(web): State<Web>,
    KnownSession(session): KnownSession,
    Query(form): Query,
) -> HandlerResult<Response> {
    let now = web.slices.context.now();
    let request = programme_request(&form, now);
    let reserved = async {
        match session {
            Some(session) => reserved_holds::reserved_by(&web, session, None).await,
            None => ReservedHolds::default(),
        }
    };
    let (found, mut reserved) = futures::join!(programme(&web, request), reserved);
    let found = found?;
    reserved.holds.retain(|hold| !hold.ordered);
    let past = if request.past { "past=1&" } else { "" };
    let last = found.page.items.last().filter(|_| found.page.next.is_some());
    let next = last.map(|last| format!("/?{past}after={}.{}", last.event.starts_at.micros(), last.event.id.uuid()));
    let template = EventListPage {
        page_layout: PageLayout::new(if request.past { "Past events" } else { "Events" }),
        reserved,
        cards: join_all(found.page.items.into_iter().map(|item| event_card(&web, item, now))).await,
        next,
        past: request.past,
        stale: found.stale_since.map(|at| last_known_notice(at, now)),
    };
    Ok(html_page(StatusCode::OK, &template))
}

/// Omits the price or the state where a store is unavailable.
async fn event_card(web: &Web, item: EventSummary, now: Timestamp) -> EventCard {
    let event = item.event;
    let scope = EventScope { organization: event.organization, event: event.id };
    let sold_out = async {
        SaleState::of(&event, now, false).can_choose()
            && web.fanout.availability(scope).await.is_ok_and(|view| view.areas().all(|(_, counts)| counts.free == 0))
    };
    let (listing, sold_out) = futures::join!(web.slices.catalog.listings.listing(scope), sold_out);
    let listing = listing.ok();
    EventCard {
        href: format!("/events/{}", event.id),
        venue: item.venue,
        starts: Moment::new(event.starts_at, &event.timezone),
        price: listing.as_ref().and_then(|listing| Offers::of(listing, now).lowest()).map(money),
        sale: match &listing {
            Some(listing) => SaleState::of_listing(listing, now, sold_out),
            None => SaleState::of(&event, now, sold_out),
        },
        cover: cover(&event),
        name: event.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_cursor_starts_from_the_beginning() {
        let now = Timestamp::from_micros(1_000_000_000_000);
        let form = |pairs: &[(&str, &str)]| {
            Form(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let id = uuid::Uuid::from_u128(7);
        let read = programme_request(&form(&[("after", &format!("5.{id}")), ("past", "1")]), now);
        assert_eq!((read.past, read.after), (true, Some((Timestamp::from_micros(5), EventId::from_uuid(id)))));
        for cursor in ["", "5", "x.y", "5.", "018f"] {
            let read = programme_request(&form(&[("after", cursor)]), now);
            assert_eq!((read.past, read.after), (false, None), "{cursor}");
        }
    }
}
