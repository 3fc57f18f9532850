//! The front page: every published event, with its date in its own zone, its lowest price, and where its sale stands.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;
use voelgoed_app::catalog::ports::EventSummary;
use voelgoed_app::page::PageRequest;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{Event, EventState};
use voelgoed_domain::time::Timestamp;

use super::event::offers::Offers;
use super::shell::{Shell, page};
use super::text::{Moment, money};
use crate::api::events::list::published;
use crate::extract::Params;
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
    /// How it looks: `on`, `soon`, `out` or `over`.
    pub kind: &'static str,
}

impl SaleState {
    /// Of an event at `now`; `sold_out` where that is known.
    pub fn of(event: &Event, now: Timestamp, sold_out: bool) -> Self {
        let state = |words: &str, kind| Self { words: words.to_owned(), kind };
        match event.state {
            EventState::Draft | EventState::Closed => state("Sale closed", "over"),
            EventState::Paused => state("Sale paused", "soon"),
            EventState::Published if now >= event.sale.closes_at => state("Sale closed", "over"),
            EventState::Published if now < event.sale.opens_at => {
                let opens = Moment::new(event.sale.opens_at, &event.timezone);
                Self { words: format!("Opens {}", opens.short()), kind: "soon" }
            }
            EventState::Published if sold_out => state("Sold out", "out"),
            EventState::Published => state("On sale", "on"),
        }
    }

    /// True where places can be had now.
    pub fn is_on_sale(&self) -> bool {
        self.kind == "on" || self.kind == "out"
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
    cards: Vec<Card>,
    next: Option<String>,
}

/// Which part of the list.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    after: Option<Uuid>,
}

/// The page.
pub async fn show(State(web): State<Web>, Params(query): Params<ListQuery>) -> Answer<Response> {
    let found = published(&web, None, PageRequest { after: query.after, most: PER_PAGE }).await?;
    let now = web.platform.environment.now();
    let mut cards = Vec::with_capacity(found.items.len());
    let mut items = found.items;
    items.sort_by_key(|item| item.event.starts_at);
    for item in items {
        cards.push(card(&web, item, now).await);
    }
    let template =
        ListPage { shell: Shell::new("Events"), cards, next: found.next.map(|after| format!("/?after={after}")) };
    Ok(page(StatusCode::OK, &template))
}

/// What cannot be read right now is left out of a card; the rest of the page stands.
async fn card(web: &Web, item: EventSummary, now: Timestamp) -> Card {
    let event = item.event;
    let scope = EventScope { organization: event.organization, event: event.id };
    let price = web.platform.listings.listing(scope).await.ok().and_then(|listing| Offers::of(&listing, now).lowest());
    let on_sale = SaleState::of(&event, now, false).is_on_sale();
    let sold_out = on_sale
        && web.fanout.availability(scope).await.is_ok_and(|view| view.areas().all(|(_, counts)| counts.free == 0));
    Card {
        href: format!("/events/{}", event.id),
        venue: item.venue,
        starts: Moment::new(event.starts_at, &event.timezone),
        price: price.map(money),
        sale: SaleState::of(&event, now, sold_out),
        cover: cover(&event),
        name: event.name,
    }
}
