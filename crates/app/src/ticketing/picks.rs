//! From what a buyer asks for to picks of places: the rules of an item, and the choice of best available seats on this node's view.
//!
//! Never a grant: the view may be old; the warm tier decides (P1).

use voelgoed_domain::catalog::layout::{AreaKind, SeatFlag};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{AreaId, TicketTypeId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::best_available::{Availability, PackedStates, Party, SeatingPlans};
use voelgoed_domain::ticketing::hold::Pick;
use voelgoed_domain::ticketing::limits;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::ticketing::quote::QuoteLine;

use super::seat_view::Occupancy;

/// The most items of one request.
pub const MOST_ITEMS: usize = 50;

/// One item of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Exactly this seat.
    Place {
        /// Which.
        place: PlaceNumber,
        /// As which ticket type.
        ticket_type: TicketTypeId,
        /// True where the buyer says that a wheelchair space is needed.
        accessible: bool,
    },
    /// Some places of an area.
    Area {
        /// Which area.
        area: AreaId,
        /// How many.
        quantity: u32,
        /// As which ticket type.
        ticket_type: TicketTypeId,
        /// How many of them for wheelchair users.
        accessible: u32,
        /// How many of them for who comes with a wheelchair user.
        companions: u32,
    },
}

/// What best-available seats are chosen from.
#[derive(Clone, Copy)]
pub struct Chooser<'a> {
    /// What is free, as far as this node knows.
    pub occupancy: &'a dyn Occupancy,
    /// The event's seats.
    pub seating: &'a SeatingPlans,
}

/// Turns items into picks. Without a chooser, areas with seats are refused.
///
/// # Errors
/// `invalid_request` with the item's field, `sold_out`, `limit_reached`.
pub fn picks(listing: &Listing, items: &[Item], chooser: Option<Chooser<'_>>) -> Result<Vec<QuoteLine>, Refusal> {
    if items.is_empty() || items.len() > MOST_ITEMS {
        return Err(Refusal::invalid("items", format!("Ask for 1 to {MOST_ITEMS} items.")));
    }
    let mut lines = Vec::with_capacity(items.len());
    let mut kept = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item {
            Item::Place { place, ticket_type, accessible } => {
                seat_exists(listing, *place, at)?;
                if !accessible && is_accessible(listing, *place) {
                    kept.push((at, *place));
                }
                lines.push(QuoteLine { pick: Pick::Place(*place), ticket_type: *ticket_type });
            }
            Item::Area { area, quantity, ticket_type, .. } => {
                let found = listing.layout.area(*area);
                let found = found
                    .ok_or_else(|| Refusal::invalid(format!("items[{at}].area"), "This event has no such area."))?;
                if let AreaKind::GeneralAdmission { .. } = found.kind {
                    let pick = Pick::Any { range: found.places(), quantity: *quantity };
                    lines.push(QuoteLine { pick, ticket_type: *ticket_type });
                } else {
                    choose(listing, item, at, chooser, &mut lines)?;
                }
            }
        }
    }
    if kept.is_empty() { Ok(lines) } else { Err(kept_for_others(listing, &kept)) }
}

fn is_accessible(listing: &Listing, place: PlaceNumber) -> bool {
    listing.layout.seat(place).is_some_and(|found| found.seat.flags.contains(&SeatFlag::Accessible))
}

/// A wheelchair space is kept for who asks for one, by whatever way it is chosen.
fn kept_for_others(listing: &Listing, kept: &[(usize, PlaceNumber)]) -> Refusal {
    let labels: Vec<String> = kept.iter().filter_map(|(_, place)| listing.layout.label(*place)).collect();
    let detail =
        format!("Kept for wheelchair users: {}. Say that you need it, or choose other places.", labels.join(", "));
    Refusal::new(Code::AccessiblePlace, detail).with(|evidence| {
        evidence.places = kept.iter().map(|(_, place)| *place).collect();
        evidence.field = kept.first().map(|(at, _)| format!("items[{at}].accessible"));
    })
}

/// Chooses seats together for one item, none of which an earlier item has.
fn choose(
    listing: &Listing,
    item: &Item,
    at: usize,
    chooser: Option<Chooser<'_>>,
    lines: &mut Vec<QuoteLine>,
) -> Result<(), Refusal> {
    let Item::Area { area, quantity, ticket_type, accessible, companions } = item else { return Ok(()) };
    let chooser = chooser.ok_or_else(|| {
        Refusal::invalid(format!("items[{at}].area"), "Name the seats, or set best_available to have them chosen.")
    })?;
    if *quantity == 0 {
        return Err(Refusal::invalid(format!("items[{at}].quantity"), "Must be at least 1."));
    }
    // Checked before seats are searched for, so that an absurd quantity costs nothing.
    limits::check_places(&listing.event.limits, u64::from(*quantity))?;
    let found = listing.ticket_type(*ticket_type);
    let found = found
        .ok_or_else(|| Refusal::invalid(format!("items[{at}].ticket_type"), "The event has no such ticket type."))?;
    let categories = found.categories.clone();
    let party = Party::of(*quantity).in_categories(categories).wishing(*accessible, *companions)?;
    let view = Unchosen { occupancy: PackedStates(chooser.occupancy.packed()), lines };
    let choice = chooser.seating.get(*area).and_then(|plan| plan.choose(&view, &party));
    let choice = choice.ok_or_else(|| {
        Refusal::new(Code::SoldOut, "Not enough seats are free there. Try another area or fewer seats.")
    })?;
    // The index of seats may be older than the listing, whose flags were set since.
    let special = choice.places.iter().filter(|place| is_accessible(listing, **place)).count();
    if special > *accessible as usize {
        return Err(Refusal::try_again(1, "The plan has just changed. Try again."));
    }
    let chosen = choice.places.into_iter();
    lines.extend(chosen.map(|place| QuoteLine { pick: Pick::Place(place), ticket_type: *ticket_type }));
    Ok(())
}

/// What is free, without what earlier items of the same request have chosen.
struct Unchosen<'a> {
    occupancy: PackedStates<'a>,
    lines: &'a [QuoteLine],
}

impl Availability for Unchosen<'_> {
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
