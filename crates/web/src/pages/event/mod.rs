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
use voelgoed_app::analytics::ports::Step;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::Occupancy;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{AreaId, EventId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::inventory::Counts;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::snapshot::AvailabilityView;

use self::asked::{Best, Choice};
use self::offers::Offers;
use self::seats::{Picked, Seats};
use super::form::{Form, Query};
use super::form_errors::FormErrors;
use super::less::{self, last_known};
use super::list::{SaleState, cover};
use super::own::{self, Own};
use super::sentences::sentence;
use super::shell::{Shell, page};
use super::text::{Moment, counted, money, percent};
use crate::api::events::{catalog_age, visible};
use crate::extract::{Buyer, PathId};
use crate::problem::Answer;
use crate::state::Web;

/// The fields of the page's forms whose errors are shown next to them.
const FIELDS: &[&str] = &["quantity", "accessible", "companions", "code"];

/// How a page is shown beside what its address says.
#[derive(Debug, Default)]
pub struct Shown {
    /// What went wrong, where anything did.
    pub notice: Option<String>,
    /// What is wrong with which field.
    pub errors: FormErrors,
    /// Places that others got first.
    pub taken: Vec<PlaceNumber>,
    /// The area whose seats are listed.
    pub area: Option<AreaId>,
    /// From this row on.
    pub row: usize,
    /// What was chosen so far.
    pub choice: Choice,
}

impl Shown {
    /// What a form, or an address with its fields, asks to see.
    pub fn asked(form: &Form, listing: &Listing) -> Self {
        let choice = asked::choice(form, listing);
        // A button names area and row together.
        let button = form.get("show").map(|shown| shown.split_once(':').unwrap_or((shown, "")));
        let named = || form.get("shown_area").or_else(|| form.get("area").filter(|_| choice.best.quantity.is_empty()));
        let (area, row) = match button {
            Some((area, row)) => (Some(area), Some(row)),
            None => (named(), form.get("shown_row").or_else(|| form.get("row"))),
        };
        Self {
            area: area.and_then(|area| area.parse().ok()),
            row: row.and_then(|row| row.parse().ok()).unwrap_or(0),
            choice,
            ..Self::default()
        }
    }

    /// The same after a refusal.
    pub fn refused(mut self, refusal: &Refusal, timezone: &str) -> Self {
        self.errors = FormErrors::of(refusal, FIELDS, timezone);
        // A place that is kept for others is not taken: it stays chosen, for who says that it is needed.
        if refusal.code != Code::AccessiblePlace {
            self.taken.clone_from(&refusal.evidence.places);
        }
        // Which of the chosen places are taken is said with their names.
        let is_named = self.choice.places.iter().any(|(place, _)| self.taken.contains(place));
        self.notice = (!is_named).then(|| sentence(refusal, timezone));
        self
    }
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

impl AreaView {
    fn is_sold_out(&self) -> bool {
        self.free == Some(0)
    }
}

struct TypeView {
    id: String,
    name: String,
    price: String,
    most: u32,
    /// How many are chosen.
    quantity: u32,
}

struct KeptView {
    place: u32,
    label: String,
    /// Its ticket type, where one was named.
    ticket_type: Option<String>,
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
    doors: Option<Moment>,
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
    has_accessible: bool,
    /// True where the refused form asked for a wheelchair space.
    accessible: bool,
    places: String,
    notice: Option<String>,
    errors: FormErrors,
    own: Own,
    seats: Option<Seats>,
    kept: Vec<KeptView>,
    code: String,
    /// Makes each choice on this page repeatable.
    key: String,
    best: Best,
    best_types: Vec<(String, String)>,
    config: String,
    /// How many watch, where that is worth saying.
    looking: Option<String>,
    stale: Option<String>,
    holding: Option<String>,
}

impl EventPage {
    /// The element that a field's error belongs to: of the form for the best seats where that was sent, else of the form for everything.
    fn id_of(&self, field: &str) -> String {
        let is_best = self.has_seats && (field != "code" || !self.best.quantity.is_empty());
        if is_best { format!("best-{field}") } else { field.to_owned() }
    }

    /// The promo code's error in the form for everything.
    fn code_error(&self) -> Option<&str> {
        self.errors.on("code").filter(|_| self.id_of("code") == "code")
    }

    /// The same in the form for the best seats.
    fn best_code_error(&self) -> Option<&str> {
        self.errors.on("code").filter(|_| self.id_of("code") != "code")
    }
}

/// The page.
pub async fn show(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    buyer: Buyer,
    Query(form): Query,
) -> Answer<Response> {
    let (scope, listing) = visible(&web, event).await?;
    web.platform.counters.count(&*web.platform.environment, scope, Step::Viewed);
    let shown = Shown::asked(&form, &listing);
    render(&web, &buyer, scope, &listing, StatusCode::OK, shown).await
}

/// The page with a status and a notice; also what a refused hold answers.
pub async fn render(
    web: &Web,
    buyer: &Buyer,
    scope: EventScope,
    listing: &Arc<Listing>,
    status: StatusCode,
    shown: Shown,
) -> Answer<Response> {
    let own =
        async { if buyer.is_new { Own::default() } else { own::of_session(web, buyer.session, Some(scope)).await } };
    let (venue, view, own) = futures::join!(web.platform.listings.venue(scope), web.fanout.availability(scope), own);
    // Without a view the page stands without counts.
    let (venue, view) = (venue?, view.ok());
    let now = web.platform.environment.now();
    let offers = Offers::of(listing, now);
    let event = &listing.event;
    let sold_out = view.as_ref().is_some_and(|view| view.areas().all(|(_, counts)| counts.free == 0));
    let sale = SaleState::of_listing(listing, now, sold_out);
    let occupancy = view.as_deref().map(|view| view as &dyn Occupancy);
    let Shown { notice, errors, taken, area, row, mut choice } = shown;
    let is_taken = |place| taken.contains(&place) || occupancy.is_some_and(|view| view.is_taken(place));
    let gone = drop_taken(listing, &mut choice, is_taken, &own.places);
    let chosen: Vec<_> = choice.places.iter().map(|(place, _)| *place).collect();
    let picked = Picked { chosen: &chosen, own: &own.places, ticket_type: &choice.ticket_type };
    let seats = area.filter(|_| sale.can_choose());
    let seats = seats.and_then(|area| seats::of(listing, &offers, occupancy, area, row, &picked));
    let areas = &listing.layout.areas;
    let key = web.platform.environment.uuid().simple().to_string();
    let template = EventPage {
        shell: Shell::new(&event.name),
        id: event.id.to_string(),
        name: event.name.clone(),
        venue: venue.name.clone(),
        address: venue.address.clone(),
        starts: Moment::new(event.starts_at, &event.timezone),
        doors: event.admission.doors_at.map(|at| Moment::new(at, &event.timezone)),
        closes: Moment::new(event.sale.closes_at, &event.timezone),
        cover: cover(event),
        from: offers.lowest().map(money),
        price_note: price_note(listing),
        most_places: event.limits.places_per_hold,
        areas: area_views(listing, &offers, view.as_deref(), &choice),
        has_seats: areas.iter().any(Area::is_seated),
        has_map: areas.iter().any(|area| area.is_seated() || !area.outline.is_empty()),
        has_standing: areas.iter().any(|area| !area.is_seated()),
        has_accessible: listing.layout.has_accessible(),
        accessible: choice.accessible,
        places: counted(u64::from(listing.layout.place_count()), "place", "places"),
        notice: joined([notice, gone]),
        errors,
        kept: kept_views(listing, &choice, seats.as_ref()),
        seats,
        config: config::block(listing, &offers, sale.can_choose(), &chosen, &own.places, &key)?,
        own,
        key,
        code: choice.code,
        best: choice.best,
        best_types: best_types(listing, &offers),
        looking: looking(web.fanout.watching(scope)),
        stale: stale_since(web, scope, view.as_deref(), now).map(|at| last_known(at, now)),
        holding: less::holding(web).filter(|_| sale.can_choose()),
        sale,
    };
    Ok(page(status, &template))
}

/// Takes out of the choice what others have by now and what is reserved for the buyer already; says which.
fn drop_taken(
    listing: &Listing,
    choice: &mut Choice,
    is_taken: impl Fn(PlaceNumber) -> bool,
    own: &[PlaceNumber],
) -> Option<String> {
    let (mut reserved, mut gone, mut unknown) = (Vec::new(), Vec::new(), 0_u64);
    choice.places.retain(|(place, _)| match listing.layout.label(*place) {
        None => {
            unknown += 1;
            false
        }
        Some(label) if own.contains(place) => {
            reserved.push(label);
            false
        }
        Some(label) if is_taken(*place) => {
            gone.push(label);
            false
        }
        Some(_) => true,
    });
    let mut said = Vec::new();
    if !gone.is_empty() {
        let rest = if choice.places.is_empty() { "Nothing" } else { "Your other places are still chosen; nothing" };
        said.push(format!("Somebody was faster with {}. {rest} was charged.", gone.join(", ")));
    }
    if !reserved.is_empty() {
        said.push(format!("Reserved for you already: {}.", reserved.join(", ")));
    }
    if unknown > 0 {
        let are = if unknown == 1 { "is" } else { "are" };
        said.push(format!("{} of the link {are} not part of this event.", counted(unknown, "place", "places")));
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// What there is to say, the refusal first.
fn joined(said: [Option<String>; 2]) -> Option<String> {
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What stays chosen and is not among the seats shown.
fn kept_views(listing: &Listing, choice: &Choice, seats: Option<&Seats>) -> Vec<KeptView> {
    let elsewhere = choice.places.iter().filter(|(place, _)| !seats.is_some_and(|seats| seats.shows(*place)));
    elsewhere
        .filter_map(|(place, ticket_type)| {
            let label = listing.layout.label(*place)?;
            Some(KeptView { place: place.0, label, ticket_type: ticket_type.map(|id| id.to_string()) })
        })
        .collect()
}

/// The ticket types that are sold for seats.
fn best_types(listing: &Listing, offers: &Offers) -> Vec<(String, String)> {
    let seated = |offer: &offers::Offer| listing.layout.areas[offer.area].is_seated();
    let is_sold = |index: &usize| offers.all.iter().any(|offer| offer.ticket_type == *index && seated(offer));
    let types = listing.ticket_types.iter().enumerate().filter(|(index, _)| is_sold(index));
    types.map(|(_, found)| (found.id.to_string(), found.name.clone())).collect()
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

fn area_views(listing: &Listing, offers: &Offers, view: Option<&AvailabilityView>, choice: &Choice) -> Vec<AreaView> {
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
                    quantity: choice.quantities.get(&format!("{}:{}", area.id, found.id)).copied().unwrap_or(0),
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
