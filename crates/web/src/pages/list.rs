//! The front page: published events, the next one first and past ones apart, with date, lowest price, and where the sale stands.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::join_all;
use voelgoed_app::catalog::ports::{EventSummary, ProgrammeRequest};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{Event, EventState};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::time::Timestamp;

use super::event::offers::Offers;
use super::form::{Form, Query};
use super::less::last_known;
use super::own::{self, Own};
use super::shell::{Shell, page};
use super::text::{Moment, money};
use crate::extract::KnownSession;
use crate::last_known::programme;
use crate::problem::Answer;
use crate::state::Web;

/// Events on one page.
const PER_PAGE: u32 = 24;
/// Different cover pictures.
const COVERS: u8 = 6;

/// Where a sale stands, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleState {
    /// What it says.
    pub words: String,
    /// What that means, and when it changes; empty while places can be had.
    pub detail: String,
    /// How it looks: `on`, `soon`, `out` or `over`.
    pub kind: &'static str,
}

impl SaleState {
    /// Of an event at `now`; `sold_out` where that is known. The domain decides whether it is on sale.
    pub fn of(event: &Event, now: Timestamp, sold_out: bool) -> Self {
        let state = |words: &str, detail: &str, kind| Self { words: words.to_owned(), detail: detail.to_owned(), kind };
        let refusal = match event.check_on_sale(now) {
            Ok(()) if sold_out => {
                let detail = "Every place is held or sold. Places come back when somebody lets go of theirs, so look again in a few minutes.";
                return state("Sold out", detail, "out");
            }
            Ok(()) => return state("On sale", "", "on"),
            Err(refusal) => refusal,
        };
        if let Some(opens_at) = refusal.evidence.opens_at {
            let opens = Moment::new(opens_at, &event.timezone);
            let detail = format!("The sale opens on {}, {} {}.", opens.date(), opens.clock(), opens.zone());
            return Self { words: format!("Opens {}", opens.short()), detail, kind: "soon" };
        }
        if event.state == EventState::Paused && !event.is_over(now) {
            let detail = "The organizer has paused the sale. Look again later; what is reserved for you stays yours until its time is over.";
            return state("Sale paused", detail, "soon");
        }
        let closed = Moment::new(event.sale.closes_at, &event.timezone);
        let detail = match event.sale.closes_at <= now {
            true => format!("The sale closed on {}, {} {}.", closed.date(), closed.clock(), closed.zone()),
            false => "No more tickets are sold for this event.".to_owned(),
        };
        Self { words: "Sale closed".to_owned(), detail, kind: "over" }
    }

    /// The same, closed where no ticket could admit any more.
    pub fn of_listing(listing: &Listing, now: Timestamp, sold_out: bool) -> Self {
        match listing.check_admits_anybody(now) {
            Ok(()) => Self::of(&listing.event, now, sold_out),
            Err(_) if listing.event.state == EventState::Draft => Self::of(&listing.event, now, sold_out),
            Err(_) => Self {
                words: "Sale closed".to_owned(),
                detail: "Tickets of this event admit nobody any more, so none are sold.".to_owned(),
                kind: "over",
            },
        }
    }

    /// True where places can be had now.
    pub fn can_choose(&self) -> bool {
        self.kind == "on"
    }
}

/// An event's own cover picture, always the same.
pub fn cover(event: &Event) -> u8 {
    event.id.uuid().as_bytes().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)) % COVERS
}

struct Card {
    href: String,
    name: String,
    venue: String,
    starts: Moment,
    price: Option<String>,
    sale: SaleState,
    cover: u8,
}

#[derive(Template)]
#[template(path = "shop/list.html")]
struct ListPage {
    shell: Shell,
    own: Own,
    cards: Vec<Card>,
    next: Option<String>,
    past: bool,
    stale: Option<String>,
}

/// Which part of the programme: `past`, and after which event.
fn request(form: &Form, now: Timestamp) -> ProgrammeRequest {
    let after = form.get("after").and_then(|cursor| {
        let (at, event) = cursor.split_once('.')?;
        Some((Timestamp::from_micros(at.parse().ok()?), EventId::from_uuid(event.parse().ok()?)))
    });
    ProgrammeRequest { past: form.get("past").is_some(), now, after, most: PER_PAGE }
}

/// The page.
pub async fn show(State(web): State<Web>, KnownSession(session): KnownSession, Query(form): Query) -> Answer<Response> {
    let now = web.platform.environment.now();
    let asked = request(&form, now);
    let own = async {
        match session {
            Some(session) => own::of_session(&web, session, None).await,
            None => Own::default(),
        }
    };
    let (found, mut own) = futures::join!(programme(&web, asked), own);
    let found = found?;
    own.holds.retain(|hold| !hold.ordered);
    let past = if asked.past { "past=1&" } else { "" };
    let last = found.page.items.last().filter(|_| found.page.next.is_some());
    let next = last.map(|last| format!("/?{past}after={}.{}", last.event.starts_at.micros(), last.event.id.uuid()));
    let template = ListPage {
        shell: Shell::new(if asked.past { "Past events" } else { "Events" }),
        own,
        cards: join_all(found.page.items.into_iter().map(|item| card(&web, item, now))).await,
        next,
        past: asked.past,
        stale: found.stale_since.map(|at| last_known(at, now)),
    };
    Ok(page(StatusCode::OK, &template))
}

/// What cannot be read right now is left out of a card; the rest of the page stands.
async fn card(web: &Web, item: EventSummary, now: Timestamp) -> Card {
    let event = item.event;
    let scope = EventScope { organization: event.organization, event: event.id };
    let sold_out = async {
        SaleState::of(&event, now, false).can_choose()
            && web.fanout.availability(scope).await.is_ok_and(|view| view.areas().all(|(_, counts)| counts.free == 0))
    };
    let (listing, sold_out) = futures::join!(web.platform.listings.listing(scope), sold_out);
    let listing = listing.ok();
    Card {
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
    fn a_cursor_that_is_none_starts_from_the_beginning() {
        let now = Timestamp::from_micros(1_000_000_000_000);
        let form = |pairs: &[(&str, &str)]| {
            Form(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let id = uuid::Uuid::from_u128(7);
        let read = request(&form(&[("after", &format!("5.{id}")), ("past", "1")]), now);
        assert_eq!((read.past, read.after), (true, Some((Timestamp::from_micros(5), EventId::from_uuid(id)))));
        for cursor in ["", "5", "x.y", "5.", "018f"] {
            let read = request(&form(&[("after", cursor)]), now);
            assert_eq!((read.past, read.after), (false, None), "{cursor}");
        }
    }
}
