//! From the fields of the event page's forms to the items of a hold.
//!
//! Fields: `place` (a seat, repeated), `type:{place}` or `ticket_type` (as what), `qty:{area}:{ticket type}` (standing places),
//! `accessible` (wheelchair spaces among the seats are asked for), `area` with `quantity` and `ticket_type` (the best seats there). The same fields in an
//! address show the page with this choice.

use std::collections::BTreeMap;

use voelgoed_app::ticketing::picks::Item;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::TicketTypeId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::PlaceNumber;

use crate::pages::form::Form;

/// What a form asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The items.
    pub items: Vec<Item>,
    /// True where seats are to be chosen.
    pub best_available: bool,
}

/// Reads a form.
///
/// # Errors
/// `invalid_request` with the field; also where nothing is asked for.
pub fn read(form: &Form, listing: &Listing) -> Result<Asked, Refusal> {
    let mut asked = Asked::default();
    let accessible = form.get("accessible").is_some_and(|text| text != "0");
    for text in form.all("place") {
        let place = text.parse().map_err(|_| Refusal::invalid("place", "Not a place."))?;
        let place = PlaceNumber(place);
        let own = form.get(&format!("type:{}", place.0)).or_else(|| form.get("ticket_type"));
        let ticket_type = match own {
            Some(text) => ticket_type(text)?,
            None => first_type(listing, place)?,
        };
        asked.items.push(Item::Place { place, ticket_type, accessible });
    }
    for (name, value) in &form.0 {
        let Some((area, kind)) = name.strip_prefix("qty:").and_then(|rest| rest.split_once(':')) else { continue };
        let quantity = number(value, "qty")?;
        if quantity > 0 {
            let area = area.parse().map_err(|_| Refusal::invalid("area", "Not an area."))?;
            asked.items.push(Item::Area {
                area,
                quantity,
                ticket_type: ticket_type(kind)?,
                accessible: 0,
                companions: 0,
            });
        }
    }
    if let Some(area) = form.get("area") {
        let area = area.parse().map_err(|_| Refusal::invalid("area", "Not an area."))?;
        let quantity = number(form.must("quantity")?, "quantity")?;
        let found =
            listing.layout.area(area).ok_or_else(|| Refusal::invalid("area", "This event has no such area."))?;
        asked.best_available = found.is_seated();
        asked.items.push(Item::Area {
            area,
            quantity,
            ticket_type: ticket_type(form.must("ticket_type")?)?,
            accessible: number(form.get("accessible").unwrap_or("0"), "accessible")?,
            companions: number(form.get("companions").unwrap_or("0"), "companions")?,
        });
    }
    if asked.items.is_empty() {
        return Err(Refusal::invalid("items", "Choose at least one place first."));
    }
    Ok(asked)
}

fn number(text: &str, field: &str) -> Result<u32, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| Refusal::invalid(field, "Must be a whole number."))
}

fn ticket_type(text: &str) -> Result<TicketTypeId, Refusal> {
    text.parse().map_err(|_| Refusal::invalid("ticket_type", "Not a ticket type."))
}

/// The first ticket type that fits a seat.
fn first_type(listing: &Listing, place: PlaceNumber) -> Result<TicketTypeId, Refusal> {
    let area = listing.layout.area_of(place);
    let known = area.zip(listing.layout.category(place));
    let fits =
        |(area, category): (&Area, &str)| listing.ticket_types.iter().find(|found| found.fits(area.id, category));
    let fitting = known.and_then(fits);
    fitting.map(|found| found.id).ok_or_else(|| Refusal::invalid("place", "Nothing is sold for this place."))
}

/// The most places that an address can keep chosen.
const KEPT_MAX: usize = 100;

/// What was chosen so far: what the page shows as chosen, whatever can still be had of it.
#[derive(Debug, Default, Clone)]
pub struct Choice {
    /// Seats, each with its ticket type where one was named.
    pub places: Vec<(PlaceNumber, Option<TicketTypeId>)>,
    /// Standing places by `area:ticket type`.
    pub quantities: BTreeMap<String, u32>,
    /// The ticket type for all seats of the area that is shown.
    pub ticket_type: String,
    /// A promo code.
    pub code: String,
    /// True where wheelchair spaces among the seats are asked for.
    pub accessible: bool,
    /// The form for the best seats.
    pub best: Best,
}

/// The form for the best seats, as it was filled in.
#[derive(Debug, Default, Clone)]
pub struct Best {
    /// In which area.
    pub area: String,
    /// As what.
    pub ticket_type: String,
    /// How many.
    pub quantity: String,
    /// Of them for wheelchair users.
    pub accessible: String,
    /// Of them for who comes along.
    pub companions: String,
}

/// Reads what was chosen; what is not understood is left out.
pub fn choice(form: &Form, listing: &Listing) -> Choice {
    let kept = form.all("keep").flat_map(|list| list.split(','));
    let ticked = form.all("place").chain(kept).filter_map(|text| text.trim().parse().ok()).map(PlaceNumber);
    let mut places: Vec<(PlaceNumber, Option<TicketTypeId>)> = Vec::new();
    for place in ticked {
        if places.len() < KEPT_MAX && places.iter().all(|(known, _)| *known != place) {
            places.push((place, kept_type(form, listing, place)));
        }
    }
    let quantities = form.0.iter().filter_map(|(name, value)| {
        let quantity: u32 = value.trim().parse().ok()?;
        Some((name.strip_prefix("qty:")?.to_owned(), quantity))
    });
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let is_best = form.get("quantity").is_some();
    let best = match is_best {
        true => Best {
            area: text("area"),
            ticket_type: text("ticket_type"),
            quantity: text("quantity"),
            accessible: text("accessible"),
            companions: text("companions"),
        },
        false => Best::default(),
    };
    let ticket_type = if is_best { String::new() } else { text("ticket_type") };
    let accessible = !is_best && form.get("accessible").is_some_and(|text| text != "0");
    Choice { places, quantities: quantities.collect(), ticket_type, code: text("code"), accessible, best }
}

/// The ticket type that a ticked seat keeps when another area is shown: its own, else the one for all, where that is sold for it.
fn kept_type(form: &Form, listing: &Listing, place: PlaceNumber) -> Option<TicketTypeId> {
    let named = form.get(&format!("type:{}", place.0)).or_else(|| form.get("ticket_type"))?;
    let found = listing.ticket_type(named.parse().ok()?)?;
    let area = listing.layout.area_of(place)?;
    found.fits(area.id, listing.layout.category(place).unwrap_or_default()).then_some(found.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers_or_named_as_wrong() {
        assert_eq!((number(" 3 ", "quantity").unwrap(), number("", "quantity").unwrap()), (3, 0));
        let refusal = number("many", "quantity").unwrap_err();
        assert_eq!(refusal.evidence.field.as_deref(), Some("quantity"));
    }
}
