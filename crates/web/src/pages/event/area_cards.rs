//! Describes an event's areas for its page: free places, prices and the ticket types that are sold there.

use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ticketing::inventory::AreaCounts;
use voelgoed_hot::availability_view::AvailabilityView;

use super::hold_form::ChosenPlaces;
use super::offers::{Offer, Offers};
use crate::pages::formatting::{counted, money, percent};

/// An area.
pub struct AreaCard {
    pub id: String,
    pub name: String,
    /// True for numbered seats.
    pub seated: bool,
    /// The number of its places with the unit.
    pub count: String,
    /// The free places, if this node knows them.
    pub free: Option<u32>,
    /// A price or a range of prices.
    pub price: String,
    /// The ticket types that are sold here.
    pub types: Vec<TicketTypeLine>,
}

impl AreaCard {
    /// True if no place is free.
    pub fn is_sold_out(&self) -> bool {
        self.free == Some(0)
    }
}

/// A ticket type that is sold in an area.
pub struct TicketTypeLine {
    pub id: String,
    pub name: String,
    /// A price or a range of prices.
    pub price: String,
    /// The largest number in one hold.
    pub quantity_max: u32,
    /// The chosen number.
    pub quantity: u32,
}

/// The areas in the order of the layout; `view` has the free places.
pub fn area_cards(
    listing: &Listing,
    offers: &Offers,
    view: Option<&AvailabilityView>,
    choice: &ChosenPlaces,
) -> Vec<AreaCard> {
    let counts: Vec<AreaCounts> = view.map(|view| view.areas().map(|(_, counts)| counts).collect()).unwrap_or_default();
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
                Some(TicketTypeLine {
                    id: found.id.to_string(),
                    name: found.name.clone(),
                    price,
                    quantity_max: found.limits.max_per_hold,
                    quantity: choice.quantities.get(&format!("{}:{}", area.id, found.id)).copied().unwrap_or(0),
                })
            });
            AreaCard {
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

/// A sentence about the fees and the tax in the prices.
pub fn price_note(listing: &Listing) -> String {
    let (fees, tax) = (listing.event.fees, listing.event.tax);
    let has_fees = fees.per_ticket > 0 || fees.basis_points > 0;
    match (has_fees, tax.basis_points) {
        (false, 0) => "No fees are added.".to_owned(),
        (true, 0) => "Prices include all fees.".to_owned(),
        (false, points) => format!("Prices include {} tax. No fees are added.", percent(points)),
        (true, points) => format!("Prices include all fees and {} tax.", percent(points)),
    }
}

/// Identifier and name of each ticket type that is sold for seats.
pub fn seat_ticket_types(listing: &Listing, offers: &Offers) -> Vec<(String, String)> {
    let seated = |offer: &Offer| listing.layout.areas[offer.area].is_seated();
    let is_sold = |index: &usize| offers.all.iter().any(|offer| offer.ticket_type == *index && seated(offer));
    let types = listing.ticket_types.iter().enumerate().filter(|(index, _)| is_sold(index));
    types.map(|(_, found)| (found.id.to_string(), found.name.clone())).collect()
}
