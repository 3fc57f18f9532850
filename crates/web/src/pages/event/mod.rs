//! An event's page: what, when, where, for how much; the live seat map with a list beside it; and forms that hold places.
//!
//! Never: a place offered as free for certain; the hold decides (P1). What is shown has an age, and says so (P10).

pub mod asked;
mod config;
pub mod hold;
pub mod offers;
mod seats;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voelgoed_app::analytics::ports::Step;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::Occupancy;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{AreaId, EventId};
use voelgoed_domain::ticketing::inventory::Counts;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::snapshot::AvailabilityView;

use self::offers::Offers;
use self::seats::Seats;
use super::less::{self, last_known};
use super::list::{SaleState, cover};
use super::shell::{Shell, page};
use super::text::{Moment, counted, money, percent};
use crate::api::events::{catalog_age, visible};
use crate::extract::{Params, PathId};
use crate::problem::Answer;
use crate::state::Web;

/// The most places that a link can keep chosen.
const MOST_KEPT: usize = 100;

/// What the address asks to see.
#[derive(Debug, Default, Deserialize)]
pub struct EventQuery {
    /// An area whose seats are listed.
    area: Option<String>,
    /// From this row on.
    row: Option<usize>,
    /// Places that stay chosen, with commas between.
    keep: Option<String>,
}

/// How a page is shown beside what the address says.
#[derive(Debug, Default)]
pub struct Shown {
    /// What went wrong, where anything did.
    pub notice: Option<String>,
    /// The area whose seats are listed.
    pub area: Option<AreaId>,
    /// From this row on.
    pub row: usize,
    /// Places that stay chosen.
    pub keep: Vec<PlaceNumber>,
    /// The promo code that was typed.
    pub code: String,
}

struct AreaView {
    id: String,
    name: String,
    seated: bool,
    count: String,
    free: Option<u32>,
    price: String,
    types: Vec<TypeView>,
}

struct TypeView {
    id: String,
    name: String,
    price: String,
    most: u32,
}

struct KeptView {
    place: u32,
    label: String,
}

#[derive(Template)]
#[template(path = "shop/event.html")]
struct EventPage {
    shell: Shell,
    id: String,
    name: String,
    venue: String,
    address: String,
    starts: Moment,
    closes: Moment,
    sale: SaleState,
    cover: u8,
    from: Option<String>,
    price_note: String,
    most_places: u32,
    areas: Vec<AreaView>,
    has_seats: bool,
    has_map: bool,
    has_standing: bool,
    places: String,
    notice: Option<String>,
    seats: Option<Seats>,
    kept: Vec<KeptView>,
    code: String,
    /// Makes each choice on this page repeatable.
    key: String,
    config: String,
    /// How many watch, where that is worth saying.
    looking: Option<String>,
    stale: Option<String>,
    holding: Option<String>,
}

/// The page.
pub async fn show(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    Params(query): Params<EventQuery>,
) -> Answer<Response> {
    let keep = query.keep.unwrap_or_default();
    let shown = Shown {
        area: query.area.and_then(|area| area.parse().ok()),
        row: query.row.unwrap_or(0),
        keep: keep.split(',').filter_map(|text| text.trim().parse().ok()).map(PlaceNumber).take(MOST_KEPT).collect(),
        ..Shown::default()
    };
    let (scope, listing) = visible(&web, event).await?;
    web.platform.counters.count(&*web.platform.environment, scope, Step::Viewed);
    render(&web, scope, &listing, StatusCode::OK, shown).await
}

/// The page with a status and a notice; also what a refused hold answers.
pub async fn render(
    web: &Web,
    scope: EventScope,
    listing: &Arc<Listing>,
    status: StatusCode,
    shown: Shown,
) -> Answer<Response> {
    let venue = web.platform.listings.venue(scope).await?;
    let now = web.platform.environment.now();
    // Without a view the page stands without counts.
    let view = web.fanout.availability(scope).await.ok();
    let offers = Offers::of(listing, now);
    let event = &listing.event;
    let sold_out = view.as_ref().is_some_and(|view| view.areas().all(|(_, counts)| counts.free == 0));
    let sale = SaleState::of(event, now, sold_out);
    let occupancy = view.as_deref().map(|view| view as &dyn Occupancy);
    let kept =
        shown.keep.iter().filter_map(|place| Some(KeptView { place: place.0, label: listing.layout.label(*place)? }));
    let areas = &listing.layout.areas;
    let key = web.platform.environment.uuid().simple().to_string();
    let template = EventPage {
        shell: Shell::new(&event.name),
        id: event.id.to_string(),
        name: event.name.clone(),
        venue: venue.name.clone(),
        address: venue.address.clone(),
        starts: Moment::new(event.starts_at, &event.timezone),
        closes: Moment::new(event.sale.closes_at, &event.timezone),
        cover: cover(event),
        from: offers.lowest().map(money),
        price_note: price_note(listing),
        most_places: event.limits.places_per_hold,
        areas: area_views(listing, &offers, view.as_deref()),
        has_seats: areas.iter().any(Area::is_seated),
        has_map: areas.iter().any(|area| area.is_seated() || !area.outline.is_empty()),
        has_standing: areas.iter().any(|area| !area.is_seated()),
        places: counted(u64::from(listing.layout.place_count()), "place", "places"),
        notice: shown.notice,
        seats: shown.area.and_then(|area| seats::of(listing, &offers, occupancy, area, shown.row, &shown.keep)),
        kept: kept.collect(),
        code: shown.code,
        config: config::block(listing, &offers, sale.is_on_sale(), &shown.keep, &key)?,
        key,
        looking: looking(web.fanout.watching(scope)),
        stale: stale_since(web, scope, view.as_deref(), now).map(|at| last_known(at, now)),
        holding: less::holding(web).filter(|_| sale.is_on_sale()),
        sale,
    };
    Ok(page(status, &template))
}

/// Whoever is alone is not told so.
fn looking(viewers: u64) -> Option<String> {
    (viewers > 1).then(|| format!("{} looking", counted(viewers, "person is", "people are")))
}

/// Since when the map, or what the catalog says, is only what was known last.
fn stale_since(web: &Web, scope: EventScope, view: Option<&AvailabilityView>, now: Timestamp) -> Option<Timestamp> {
    let map = view.filter(|view| view.is_stale(now)).map(AvailabilityView::at);
    let (read_at, is_old) = catalog_age(web, scope, now);
    let catalog = is_old.then_some(read_at);
    map.into_iter().chain(catalog).min()
}

fn area_views(listing: &Listing, offers: &Offers, view: Option<&AvailabilityView>) -> Vec<AreaView> {
    let counts: Vec<Counts> = view.map(|view| view.areas().map(|(_, counts)| counts).collect()).unwrap_or_default();
    let areas = listing.layout.areas.iter().enumerate();
    areas
        .map(|(at, area)| {
            let price = match offers.range(offers.in_area(at, None)) {
                Some((low, high)) if low == high => money(low),
                Some((low, high)) => format!("{} – {}", money(low), money(high)),
                None => "not on sale".to_owned(),
            };
            let types = listing.ticket_types.iter().enumerate().filter_map(|(index, found)| {
                let (low, high) = offers.range(offers.in_area(at, None).filter(|offer| offer.ticket_type == index))?;
                let price = if low == high { money(low) } else { format!("from {}", money(low)) };
                Some(TypeView {
                    id: found.id.to_string(),
                    name: found.name.clone(),
                    price,
                    most: found.limits.max_per_hold,
                })
            });
            AreaView {
                id: area.id.to_string(),
                name: area.name.clone(),
                seated: area.is_seated(),
                count: counted(u64::from(area.place_count()), "place", "places"),
                free: counts.get(at).map(|counts| counts.free),
                price,
                types: types.collect(),
            }
        })
        .collect()
}

/// What shown prices contain.
fn price_note(listing: &Listing) -> String {
    let (fees, tax) = (listing.event.fees, listing.event.tax);
    let has_fees = fees.per_ticket > 0 || fees.basis_points > 0;
    match (has_fees, tax.basis_points) {
        (false, 0) => "No fees are added.".to_owned(),
        (true, 0) => "Prices include all fees.".to_owned(),
        (false, points) => format!("Prices include {} tax. No fees are added.", percent(points)),
        (true, points) => format!("Prices include all fees and {} tax.", percent(points)),
    }
}
