//! Shows an event's page: date, venue, prices, the live seat map with a list beside it, and the forms that hold places.
//!
//! Never: a promise that a place is free; the hold decides (P1). Stale counts and listings are shown with their age (P10).

mod area_cards;
pub mod hold;
pub mod hold_form;
mod kept_choice;
pub mod offers;
mod script_config;
mod seat_list;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voelgoed_app::analytics::sale_step::SaleStep;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::Occupancy;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{AreaId, EventId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::availability_view::AvailabilityView;

use self::area_cards::{AreaCard, area_cards, price_note, seat_ticket_types};
use self::hold_form::{BestSeatsForm, ChosenPlaces};
use self::kept_choice::{KeptSeat, drop_unavailable, kept_seats};
use self::offers::Offers;
use self::seat_list::{BuyerSelection, SeatList};
use super::cover_picture::cover;
use super::degraded_notice::{self, last_known_notice};
use super::form::{Form, Query};
use super::form_errors::FormErrors;
use super::formatting::{Moment, counted, money};
use super::page_layout::{PageLayout, html_page};
use super::refusal_sentences::sentence;
use super::reserved_holds::{self, ReservedHolds};
use super::sale_state::SaleState;
use crate::api::events::{catalog_age, visible};
use crate::extract::{BuyerSession, PathId};
use crate::problem::HandlerResult;
use crate::state::Web;

/// The fields whose errors are shown next to them.
const FIELDS: &[&str] = &["quantity", "accessible", "companions", "code"];

/// The part of the page that depends on the request.
#[derive(Debug, Default)]
pub struct EventPageRequest {
    /// A refusal that belongs to no field.
    pub notice: Option<String>,
    /// Refusals of fields.
    pub errors: FormErrors,
    /// The places of a refusal that others hold or bought.
    pub taken: Vec<PlaceNumber>,
    /// The area whose seats are listed.
    pub area: Option<AreaId>,
    /// The first listed row of the area.
    pub row: usize,
    /// The choice so far.
    pub choice: ChosenPlaces,
}

impl EventPageRequest {
    /// Reads a form, or an address with the same fields.
    pub fn from_form(form: &Form, listing: &Listing) -> Self {
        let choice = hold_form::read_choice(form, listing);
        // The buttons between parts of an area send area and row in one field.
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

    /// Adds a refusal.
    pub fn refused(mut self, refusal: &Refusal, timezone: &str) -> Self {
        self.errors = FormErrors::of(refusal, FIELDS, timezone);
        // A wheelchair space is not taken: it stays chosen for a buyer who confirms the need.
        if refusal.code != Code::AccessiblePlace {
            self.taken.clone_from(&refusal.evidence.places);
        }
        // `drop_unavailable` names the taken places.
        let is_named = self.choice.places.iter().any(|(place, _)| self.taken.contains(place));
        self.notice = (!is_named).then(|| sentence(refusal, timezone));
        self
    }
}

#[derive(Template)]
#[template(path = "shop/event.html")]
struct EventPage {
    page_layout: PageLayout,
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
    places_max: u32,
    areas: Vec<AreaCard>,
    has_seats: bool,
    has_map: bool,
    has_standing: bool,
    has_accessible: bool,
    /// True if the refused form requested a wheelchair space.
    accessible: bool,
    places: String,
    notice: Option<String>,
    errors: FormErrors,
    reserved: ReservedHolds,
    seats: Option<SeatList>,
    kept: Vec<KeptSeat>,
    code: String,
    /// Part of the idempotency key of each hold from this page.
    key: String,
    best: BestSeatsForm,
    best_types: Vec<(String, String)>,
    config: String,
    /// The number of viewers; none for a single viewer.
    viewers: Option<String>,
    stale: Option<String>,
    holding: Option<String>,
}

impl EventPage {
    /// The `id` of the field with an error: in the form for the best seats if that one was sent, else in the form for chosen places.
    fn id_of(&self, field: &str) -> String {
        let is_best = self.has_seats && (field != "code" || !self.best.quantity.is_empty());
        if is_best { format!("best-{field}") } else { field.to_owned() }
    }

    /// The promo code's error in the form for chosen places.
    fn code_error(&self) -> Option<&str> {
        self.errors.on("code").filter(|_| self.id_of("code") == "code")
    }

    /// The promo code's error in the form for the best seats.
    fn best_code_error(&self) -> Option<&str> {
        self.errors.on("code").filter(|_| self.id_of("code") != "code")
    }
}

/// Shows the page.
pub async fn show(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    buyer: BuyerSession,
    Query(form): Query,
) -> HandlerResult<Response> {
    let (scope, listing) = visible(&web, event).await?;
    web.slices.analytics.count(scope, SaleStep::Viewed);
    let shown = EventPageRequest::from_form(&form, &listing);
    render(&web, &buyer, scope, &listing, StatusCode::OK, shown).await
}

/// Renders the page with a status; also the response to a refused hold.
pub async fn render(
    web: &Web,
    buyer: &BuyerSession,
    scope: EventScope,
    listing: &Arc<Listing>,
    status: StatusCode,
    shown: EventPageRequest,
) -> HandlerResult<Response> {
    let (venue, view, reserved) = futures::join!(
        web.slices.catalog.listings.venue(scope),
        web.fanout.availability(scope),
        holds_of_viewer(web, buyer, scope)
    );
    // Without a view the page has no counts.
    let (venue, view) = (venue?, view.ok());
    let now = web.slices.context.now();
    let offers = Offers::of(listing, now);
    let event = &listing.event;
    let sold_out = view.as_ref().is_some_and(|view| view.areas().all(|(_, counts)| counts.free == 0));
    let sale = SaleState::of_listing(listing, now, sold_out);
    let occupancy = view.as_deref().map(|view| view as &dyn Occupancy);
    let EventPageRequest { notice, errors, taken, area, row, mut choice } = shown;
    let is_taken = |place| taken.contains(&place) || occupancy.is_some_and(|view| view.is_taken(place));
    let dropped = drop_unavailable(listing, &mut choice, is_taken, &reserved.places);
    let chosen: Vec<_> = choice.places.iter().map(|(place, _)| *place).collect();
    let picked = BuyerSelection { chosen: &chosen, reserved: &reserved.places, ticket_type: &choice.ticket_type };
    let seats = area.filter(|_| sale.can_choose());
    let seats = seats.and_then(|area| seat_list::seat_list(listing, &offers, occupancy, area, row, &picked));
    let areas = &listing.layout.areas;
    let key = web.slices.context.environment.uuid().simple().to_string();
    let template = EventPage {
        page_layout: PageLayout::new(&event.name),
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
        places_max: event.limits.places_per_hold,
        areas: area_cards(listing, &offers, view.as_deref(), &choice),
        has_seats: areas.iter().any(Area::is_seated),
        has_map: areas.iter().any(|area| area.is_seated() || !area.outline.is_empty()),
        has_standing: areas.iter().any(|area| !area.is_seated()),
        has_accessible: listing.layout.has_accessible(),
        accessible: choice.accessible,
        places: counted(u64::from(listing.layout.place_count()), "place", "places"),
        notice: notice.into_iter().chain(dropped).reduce(|refusal, dropped| format!("{refusal} {dropped}")),
        errors,
        kept: kept_seats(listing, &choice, seats.as_ref()),
        seats,
        config: script_config::script_config(listing, &offers, sale.can_choose(), &chosen, &reserved.places, &key)?,
        reserved,
        key,
        code: choice.code,
        best: choice.best,
        best_types: seat_ticket_types(listing, &offers),
        viewers: viewers_text(web.fanout.viewers_on_all_nodes(scope)),
        stale: stale_since(web, scope, view.as_deref(), now).map(|at| last_known_notice(at, now)),
        holding: degraded_notice::hold_notice(web).filter(|_| sale.can_choose()),
        sale,
    };
    Ok(html_page(status, &template))
}

/// A new session has no holds.
async fn holds_of_viewer(web: &Web, buyer: &BuyerSession, scope: EventScope) -> ReservedHolds {
    if buyer.is_new {
        ReservedHolds::default()
    } else {
        reserved_holds::reserved_by(web, buyer.session, Some(scope)).await
    }
}

/// A single viewer sees no number.
fn viewers_text(viewers: u64) -> Option<String> {
    (viewers > 1).then(|| format!("{} looking", counted(viewers, "person is", "people are")))
}

/// The age of the older of map and listing, if either is stale.
fn stale_since(web: &Web, scope: EventScope, view: Option<&AvailabilityView>, now: Timestamp) -> Option<Timestamp> {
    let map = view.filter(|view| view.is_stale(now)).map(AvailabilityView::at);
    let (read_at, is_old) = catalog_age(web, scope, now);
    let catalog = is_old.then_some(read_at);
    map.into_iter().chain(catalog).min()
}
