//! Lists the seats of an area as checkboxes for buyers without scripts; a large area is listed in parts.

use voelgoed_app::ticketing::seat_view::Occupancy;
use voelgoed_domain::catalog::layout::{Area, LayoutRow, Seat, SeatFlag};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::money::Money;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::offers::Offers;
use crate::pages::formatting::money;

/// Rows are never split, so one long row may exceed it.
const SEATS_PER_PART_MAX: usize = 240;

/// The seats of an area, or of some of its rows.
pub struct SeatList {
    /// The area's identifier.
    pub area: String,
    /// The area's name.
    pub name: String,
    /// Identifier and name of each ticket type that is sold in the area.
    pub ticket_types: Vec<(String, String)>,
    /// The chosen ticket type.
    pub ticket_type: String,
    /// The rows of this part.
    pub rows: Vec<SeatRow>,
    /// The first row of the previous part.
    pub before: Option<usize>,
    /// The first row of the next part.
    pub after: Option<usize>,
}

/// A row of seats.
pub struct SeatRow {
    /// The label of the row.
    pub name: String,
    /// The number of free seats.
    pub free: usize,
    /// In the order of the layout.
    pub seats: Vec<SeatCheckbox>,
}

/// A seat with its checkbox.
pub struct SeatCheckbox {
    pub place: u32,
    /// The label of the seat.
    pub label: String,
    /// The category's name.
    pub category: String,
    /// The lowest price.
    pub price: String,
    /// Notes such as `restricted view`.
    pub notes: Vec<&'static str>,
    /// True if it is free, as far as this node knows.
    pub free: bool,
    /// True if the buyer chose it before.
    pub chosen: bool,
    /// True if the viewer holds it.
    pub reserved: bool,
}

impl SeatList {
    /// True if a place is listed.
    pub fn shows(&self, place: PlaceNumber) -> bool {
        self.rows.iter().any(|row| row.seats.iter().any(|seat| seat.place == place.0))
    }
}

/// The viewer's choice and holds.
pub struct BuyerSelection<'a> {
    /// The chosen places.
    pub chosen: &'a [PlaceNumber],
    /// The places that the viewer holds.
    pub reserved: &'a [PlaceNumber],
    /// The ticket type for all seats of the area.
    pub ticket_type: &'a str,
}

/// The note on a flagged seat.
pub const fn note(flag: SeatFlag) -> &'static str {
    match flag {
        SeatFlag::Accessible => "wheelchair space",
        SeatFlag::Companion => "companion seat",
        SeatFlag::RestrictedView => "restricted view",
    }
}

/// The part of `area` with the row `from`; none if the event has no such seated area.
pub fn seat_list(
    listing: &Listing,
    offers: &Offers,
    taken: Option<&dyn Occupancy>,
    area: AreaId,
    from: usize,
    selection: &BuyerSelection<'_>,
) -> Option<SeatList> {
    let (at, area) =
        listing.layout.areas.iter().enumerate().find(|(_, found)| found.id == area && found.is_seated())?;
    let parts = parts(area);
    let part = parts.iter().rposition(|start| *start <= from)?;
    let end = parts.get(part + 1).copied().unwrap_or(area.rows().len());
    let in_area: Vec<_> = offers.in_area(at, None).collect();
    let fits = |index: &usize| in_area.iter().any(|offer| offer.ticket_type == *index);
    let view = |row: &LayoutRow| {
        let seats: Vec<_> = row
            .seats
            .iter()
            .zip(row.places())
            .map(|(seat, place)| SeatCheckbox {
                label: row.ticket_seat_label(&seat.label),
                ..seat_checkbox(listing, offers, at, taken, seat, place, selection)
            })
            .collect();
        SeatRow { name: row.ticket_label(), free: seats.iter().filter(|seat| seat.free).count(), seats }
    };
    Some(SeatList {
        area: area.id.to_string(),
        name: area.name.clone(),
        ticket_types: (0..listing.ticket_types.len())
            .filter(fits)
            .map(|index| (listing.ticket_types[index].id.to_string(), listing.ticket_types[index].name.clone()))
            .collect(),
        ticket_type: selection.ticket_type.to_owned(),
        rows: area.rows()[parts[part]..end].iter().map(view).collect(),
        before: part.checked_sub(1).map(|before| parts[before]),
        after: parts.get(part + 1).copied(),
    })
}

/// The first row of each part of an area.
fn parts(area: &Area) -> Vec<usize> {
    let mut starts = vec![0];
    let mut seats = 0;
    for (at, row) in area.rows().iter().enumerate() {
        if seats + row.seats.len() > SEATS_PER_PART_MAX && seats > 0 {
            starts.push(at);
            seats = 0;
        }
        seats += row.seats.len();
    }
    starts
}

fn seat_checkbox(
    listing: &Listing,
    offers: &Offers,
    area: usize,
    taken: Option<&dyn Occupancy>,
    seat: &Seat,
    place: u32,
    selection: &BuyerSelection<'_>,
) -> SeatCheckbox {
    let category = offers.categories.iter().position(|known| *known == seat.category);
    let lowest = offers.in_area(area, category).map(|offer| offer.pays).min();
    let number = PlaceNumber(place);
    SeatCheckbox {
        place,
        label: seat.label.clone(),
        category: seat.category.clone(),
        price: lowest.map(|amount| money(Money::new(amount, listing.event.currency))).unwrap_or_default(),
        notes: seat.flags.iter().map(|flag| note(*flag)).collect(),
        free: lowest.is_some() && !taken.is_some_and(|view| view.is_taken(number)),
        chosen: selection.chosen.contains(&number),
        reserved: selection.reserved.contains(&number),
    }
}
