//! Turns the items of a request into picks of places: checks each item, and chooses best-available seats on this node's view.
//!
//! Never: a grant; the view may be old, so the warm tier decides (P1).

use voelgoed_domain::catalog::layout::{AreaKind, SeatFlag};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{AreaId, TicketTypeId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::best_available::{Availability, PackedStates, Party, SeatingPlans};
use voelgoed_domain::ticketing::hold::Pick;
use voelgoed_domain::ticketing::limits;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::ticketing::quote::QuoteLine;

use super::seat_view::Occupancy;

/// Items of one request.
pub const ITEMS_PER_REQUEST_MAX: usize = 50;

/// One item of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldItem {
    /// A named seat.
    Place {
        /// The seat.
        place: PlaceNumber,
        /// The ticket type.
        ticket_type: TicketTypeId,
        /// True if the buyer needs a wheelchair space.
        accessible: bool,
    },
    /// A number of places of an area.
    Area {
        /// The area.
        area: AreaId,
        /// The number of places.
        quantity: u32,
        /// The ticket type.
        ticket_type: TicketTypeId,
        /// Places for wheelchair users, part of `quantity`.
        accessible: u32,
        /// Places for companions of wheelchair users, part of `quantity`.
        companions: u32,
    },
}

/// The inputs of the choice of best-available seats.
#[derive(Clone, Copy)]
pub struct SeatChooser<'a> {
    /// The taken places in this node's view.
    pub occupancy: &'a dyn Occupancy,
    /// The event's seating plans.
    pub seating: &'a SeatingPlans,
}

/// Turns items into picks. Without a chooser, items of seated areas are refused.
///
/// # Errors
/// `invalid_request` with the item's field, `sold_out`, `limit_reached`.
pub fn choose_places(
    listing: &Listing,
    items: &[HoldItem],
    chooser: Option<SeatChooser<'_>>,
) -> Result<Vec<QuoteLine>, Refusal> {
    if items.is_empty() || items.len() > ITEMS_PER_REQUEST_MAX {
        return Err(Refusal::invalid("items", format!("Ask for 1 to {ITEMS_PER_REQUEST_MAX} items.")));
    }
    let mut lines = Vec::with_capacity(items.len());
    let mut reserved = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item {
            HoldItem::Place { place, ticket_type, accessible } => {
                seat_exists(listing, *place, at)?;
                if !accessible && is_accessible(listing, *place) {
                    reserved.push((at, *place));
                }
                lines.push(QuoteLine { pick: Pick::Place(*place), ticket_type: *ticket_type });
            }
            HoldItem::Area { area, quantity, ticket_type, .. } => {
                let found = listing.layout.area(*area);
                let found = found
                    .ok_or_else(|| Refusal::invalid(format!("items[{at}].area"), "This event has no such area."))?;
                if let AreaKind::GeneralAdmission { .. } = found.kind {
                    let pick = Pick::Any { range: found.places(), quantity: *quantity };
                    lines.push(QuoteLine { pick, ticket_type: *ticket_type });
                } else {
                    choose_seats(listing, item, at, chooser, &mut lines)?;
                }
            }
        }
    }
    if reserved.is_empty() { Ok(lines) } else { Err(accessible_places_refused(listing, &reserved)) }
}

fn is_accessible(listing: &Listing, place: PlaceNumber) -> bool {
    listing.layout.seat(place).is_some_and(|found| found.seat.flags.contains(&SeatFlag::Accessible))
}

/// Refuses wheelchair spaces that were named without the need for one.
fn accessible_places_refused(listing: &Listing, places: &[(usize, PlaceNumber)]) -> Refusal {
    let labels: Vec<String> = places.iter().filter_map(|(_, place)| listing.layout.label(*place)).collect();
    let detail =
        format!("Kept for wheelchair users: {}. Say that you need it, or choose other places.", labels.join(", "));
    Refusal::new(Code::AccessiblePlace, detail).with(|evidence| {
        evidence.places = places.iter().map(|(_, place)| *place).collect();
        evidence.field = places.first().map(|(at, _)| format!("items[{at}].accessible"));
    })
}

/// Chooses adjacent seats for one item, except seats of earlier items.
fn choose_seats(
    listing: &Listing,
    item: &HoldItem,
    at: usize,
    chooser: Option<SeatChooser<'_>>,
    lines: &mut Vec<QuoteLine>,
) -> Result<(), Refusal> {
    let HoldItem::Area { area, quantity, ticket_type, accessible, companions } = item else { return Ok(()) };
    let chooser = chooser.ok_or_else(|| {
        Refusal::invalid(format!("items[{at}].area"), "Name the seats, or set best_available to have them chosen.")
    })?;
    if *quantity == 0 {
        return Err(Refusal::invalid(format!("items[{at}].quantity"), "Must be at least 1."));
    }
    // Checked before the search, so that a huge quantity costs nothing.
    limits::check_places(&listing.event.limits, u64::from(*quantity))?;
    let found = listing.ticket_type(*ticket_type);
    let found = found
        .ok_or_else(|| Refusal::invalid(format!("items[{at}].ticket_type"), "The event has no such ticket type."))?;
    let categories = found.categories.clone();
    let party = Party::of(*quantity).in_categories(categories).with_special_seats(*accessible, *companions)?;
    let view = WithoutChosen { occupancy: PackedStates(chooser.occupancy.packed()), lines };
    let choice = chooser.seating.get(*area).and_then(|plan| plan.choose(&view, &party));
    let choice = choice.ok_or_else(|| {
        Refusal::new(Code::SoldOut, "Not enough seats are free there. Try another area or fewer seats.")
    })?;
    // The seating plans may be older than the listing's flags.
    let special = choice.places.iter().filter(|place| is_accessible(listing, **place)).count();
    if special > *accessible as usize {
        return Err(Refusal::try_again(1, "The seating plan has just changed. Try again."));
    }
    let chosen = choice.places.into_iter();
    lines.extend(chosen.map(|place| QuoteLine { pick: Pick::Place(place), ticket_type: *ticket_type }));
    Ok(())
}

/// The free seats, without the choices of earlier items of the request.
struct WithoutChosen<'a> {
    occupancy: PackedStates<'a>,
    lines: &'a [QuoteLine],
}

impl Availability for WithoutChosen<'_> {
    fn free_word(&self, word: usize) -> u64 {
        self.lines.iter().fold(self.occupancy.free_word(word), |free, line| match line.pick {
            Pick::Place(place) if place.index() / 64 == word => free & !(1 << (place.index() % 64)),
            Pick::Place(_) | Pick::Any { .. } => free,
        })
    }
}

fn seat_exists(listing: &Listing, place: PlaceNumber, at: usize) -> Result<(), Refusal> {
    let refused = |why: &str| Refusal::invalid(format!("items[{at}].place"), why);
    let area = listing.layout.area_of(place).ok_or_else(|| refused("This event has no such place."))?;
    match area.kind {
        AreaKind::Seated { .. } => Ok(()),
        AreaKind::GeneralAdmission { .. } => {
            Err(refused("Places of this area have no numbers: ask for the area and a quantity."))
        }
    }
}
