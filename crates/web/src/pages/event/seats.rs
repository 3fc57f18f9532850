//! One area's seats as a list with checkboxes, for who has no scripts or prefers a list; in parts where an area is large.

use voelgoed_app::ticketing::seat_view::Occupancy;
use voelgoed_domain::catalog::layout::{Area, Row, Seat, SeatFlag};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::money::Money;
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::offers::Offers;
use crate::pages::text::money;

/// The most seats of one part; rows are never split.
const MOST_SEATS: usize = 240;

/// The seats of an area, or of some of its rows.
pub struct Seats {
    /// The area.
    pub area: String,
    /// What it is called.
    pub name: String,
    /// The ticket types that fit somewhere here.
    pub ticket_types: Vec<(String, String)>,
    /// The one that was chosen for them.
    pub ticket_type: String,
    /// The rows.
    pub rows: Vec<RowView>,
    /// The first row of the part before this one.
    pub before: Option<usize>,
    /// The first row of the part after this one.
    pub after: Option<usize>,
}

/// A row.
pub struct RowView {
    /// What is written on it.
    pub name: String,
    /// How many are free.
    pub free: usize,
    /// Its seats.
    pub seats: Vec<SeatView>,
}

/// A seat.
pub struct SeatView {
    /// Its place.
    pub place: u32,
    /// What is written on it.
    pub label: String,
    /// Its category.
    pub category: String,
    /// What it costs.
    pub price: String,
    /// What is special about it.
    pub notes: Vec<&'static str>,
    /// True where it can be had, as far as this node knows.
    pub free: bool,
    /// True where it was chosen before.
    pub chosen: bool,
    /// True where it is reserved for whoever looks.
    pub own: bool,
}

impl Seats {
    /// True where a place is among the seats shown.
    pub fn shows(&self, place: PlaceNumber) -> bool {
        self.rows.iter().any(|row| row.seats.iter().any(|seat| seat.place == place.0))
    }
}

/// What is known of the buyer who looks.
pub struct Picked<'a> {
    /// Places that were chosen before.
    pub chosen: &'a [PlaceNumber],
    /// Places that are reserved for them.
    pub own: &'a [PlaceNumber],
    /// The ticket type that was chosen for a whole area.
    pub ticket_type: &'a str,
}

/// What a buyer calls a flag.
pub const fn note(flag: SeatFlag) -> &'static str {
    match flag {
        SeatFlag::Accessible => "wheelchair space",
        SeatFlag::Companion => "companion seat",
        SeatFlag::RestrictedView => "restricted view",
    }
}

/// The seats of `area` from its row `from` on; none where the event has no such seated area.
pub fn of(
    listing: &Listing,
    offers: &Offers,
    taken: Option<&dyn Occupancy>,
    area: AreaId,
    from: usize,
    picked: &Picked<'_>,
) -> Option<Seats> {
    let (at, area) =
        listing.layout.areas.iter().enumerate().find(|(_, found)| found.id == area && found.is_seated())?;
    let parts = parts(area);
    let part = parts.iter().rposition(|start| *start <= from)?;
    let end = parts.get(part + 1).copied().unwrap_or(area.rows().len());
    let in_area: Vec<_> = offers.in_area(at, None).collect();
    let fits = |index: &usize| in_area.iter().any(|offer| offer.ticket_type == *index);
    let view = |row: &Row| {
        let seats: Vec<_> = row
            .seats
            .iter()
            .zip(row.places())
            .map(|(seat, place)| SeatView {
                label: row.seat_words(&seat.label),
                ..seat_view(listing, offers, at, taken, seat, place, picked)
            })
            .collect();
        RowView { name: row.words(), free: seats.iter().filter(|seat| seat.free).count(), seats }
    };
    Some(Seats {
        area: area.id.to_string(),
        name: area.name.clone(),
        ticket_types: (0..listing.ticket_types.len())
            .filter(fits)
            .map(|index| (listing.ticket_types[index].id.to_string(), listing.ticket_types[index].name.clone()))
            .collect(),
        ticket_type: picked.ticket_type.to_owned(),
        rows: area.rows()[parts[part]..end].iter().map(view).collect(),
        before: part.checked_sub(1).map(|before| parts[before]),
        after: parts.get(part + 1).copied(),
    })
}

/// Where the parts of an area begin.
fn parts(area: &Area) -> Vec<usize> {
    let mut starts = vec![0];
    let mut seats = 0;
    for (at, row) in area.rows().iter().enumerate() {
        if seats + row.seats.len() > MOST_SEATS && seats > 0 {
            starts.push(at);
            seats = 0;
        }
        seats += row.seats.len();
    }
    starts
}

fn seat_view(
    listing: &Listing,
    offers: &Offers,
    area: usize,
    taken: Option<&dyn Occupancy>,
    seat: &Seat,
    place: u32,
    picked: &Picked<'_>,
) -> SeatView {
    let category = offers.categories.iter().position(|known| *known == seat.category);
    let lowest = offers.in_area(area, category).map(|offer| offer.pays).min();
    let number = PlaceNumber(place);
    SeatView {
        place,
        label: seat.label.clone(),
        category: seat.category.clone(),
        price: lowest.map(|amount| money(Money::new(amount, listing.event.currency))).unwrap_or_default(),
        notes: seat.flags.iter().map(|flag| note(*flag)).collect(),
        free: lowest.is_some() && !taken.is_some_and(|view| view.is_taken(number)),
        chosen: picked.chosen.contains(&number),
        own: picked.own.contains(&number),
    }
}
