//! Keeps a buyer's choice from one page to the next: drops places that cannot be held any more, and carries chosen seats of other areas along.

use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::hold_form::ChosenPlaces;
use super::seat_list::SeatList;
use crate::pages::formatting::counted;

/// A chosen seat that the page does not list, kept as a ticked checkbox.
pub struct KeptSeat {
    pub place: u32,
    pub label: String,
    /// The ticket type that the buyer chose for it.
    pub ticket_type: Option<String>,
}

/// Removes places from the choice that are taken, reserved for the buyer already or unknown; returns a sentence about them.
pub fn drop_unavailable(
    listing: &Listing,
    choice: &mut ChosenPlaces,
    is_taken: impl Fn(PlaceNumber) -> bool,
    reserved: &[PlaceNumber],
) -> Option<String> {
    let (mut already_reserved, mut taken, mut unknown) = (Vec::new(), Vec::new(), 0_u64);
    choice.places.retain(|(place, _)| match listing.layout.label(*place) {
        None => {
            unknown += 1;
            false
        }
        Some(label) if reserved.contains(place) => {
            already_reserved.push(label);
            false
        }
        Some(label) if is_taken(*place) => {
            taken.push(label);
            false
        }
        Some(_) => true,
    });
    let mut sentences = Vec::new();
    if !taken.is_empty() {
        let rest = if choice.places.is_empty() { "Nothing" } else { "Your other places are still chosen; nothing" };
        sentences.push(format!("Somebody was faster with {}. {rest} was charged.", taken.join(", ")));
    }
    if !already_reserved.is_empty() {
        sentences.push(format!("Reserved for you already: {}.", already_reserved.join(", ")));
    }
    if unknown > 0 {
        let are = if unknown == 1 { "is" } else { "are" };
        sentences.push(format!("{} of the link {are} not part of this event.", counted(unknown, "place", "places")));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// The chosen places that `shown` does not list.
pub fn kept_seats(listing: &Listing, choice: &ChosenPlaces, shown: Option<&SeatList>) -> Vec<KeptSeat> {
    let elsewhere = choice.places.iter().filter(|(place, _)| !shown.is_some_and(|seats| seats.shows(*place)));
    elsewhere
        .filter_map(|(place, ticket_type)| {
            let label = listing.layout.label(*place)?;
            Some(KeptSeat { place: place.0, label, ticket_type: ticket_type.map(|id| id.to_string()) })
        })
        .collect()
}
