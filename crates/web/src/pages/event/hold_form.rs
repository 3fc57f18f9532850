//! Reads the fields of the event page's forms as items of a hold; the same fields in an address show the page with that choice.
//!
//! | field | meaning |
//! |---|---|
//! | `place` | a seat; repeated |
//! | `type:{place}`, else `ticket_type` | the ticket type of a seat, else of all seats |
//! | `qty:{area}:{ticket type}` | a number of standing places |
//! | `accessible` | the buyer needs the wheelchair spaces among the seats |
//! | `area` with `quantity` and `ticket_type` | the best seats of an area |
//! | `keep` | seats of an earlier page, with commas between them |

use std::collections::BTreeMap;

use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::TicketTypeId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::pages::form::Form;

/// The requested places.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HoldForm {
    /// The items of the hold.
    pub items: Vec<HoldItem>,
    /// True if the platform chooses the seats.
    pub best_available: bool,
}

/// Reads a form.
///
/// # Errors
/// `invalid_request` with the field; also without any place.
pub fn read(form: &Form, listing: &Listing) -> Result<HoldForm, Refusal> {
    let mut wanted = HoldForm::default();
    let accessible = form.get("accessible").is_some_and(|text| text != "0");
    for text in form.all("place") {
        let place = text.parse().map_err(|_| Refusal::invalid("place", "Not a place."))?;
        let place = PlaceNumber(place);
        let named = form.get(&format!("type:{}", place.0)).or_else(|| form.get("ticket_type"));
        let ticket_type = match named {
            Some(text) => ticket_type(text)?,
            None => first_type(listing, place)?,
        };
        wanted.items.push(HoldItem::Place { place, ticket_type, accessible });
    }
    for (name, value) in &form.0 {
        let Some((area, kind)) = name.strip_prefix("qty:").and_then(|rest| rest.split_once(':')) else { continue };
        let quantity = number(value, "qty")?;
        if quantity > 0 {
            let area = area.parse().map_err(|_| Refusal::invalid("area", "Not an area."))?;
            wanted.items.push(HoldItem::Area {
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
        wanted.best_available = found.is_seated();
        wanted.items.push(HoldItem::Area {
            area,
            quantity,
            ticket_type: ticket_type(form.must("ticket_type")?)?,
            accessible: number(form.get("accessible").unwrap_or("0"), "accessible")?,
            companions: number(form.get("companions").unwrap_or("0"), "companions")?,
        });
    }
    if wanted.items.is_empty() {
        return Err(Refusal::invalid("items", "Choose at least one place first."));
    }
    Ok(wanted)
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

/// The first ticket type that is sold for a seat.
fn first_type(listing: &Listing, place: PlaceNumber) -> Result<TicketTypeId, Refusal> {
    let area = listing.layout.area_of(place);
    let known = area.zip(listing.layout.category(place));
    let fits =
        |(area, category): (&Area, &str)| listing.ticket_types.iter().find(|found| found.is_sold_in(area.id, category));
    let fitting = known.and_then(fits);
    fitting.map(|found| found.id).ok_or_else(|| Refusal::invalid("place", "Nothing is sold for this place."))
}

/// Places of an address that stay chosen.
const KEPT_PLACES_MAX: usize = 100;

/// The choice that the page shows, before taken places are dropped.
#[derive(Debug, Default, Clone)]
pub struct ChosenPlaces {
    /// Seats, each with the ticket type that the form names for it.
    pub places: Vec<(PlaceNumber, Option<TicketTypeId>)>,
    /// Numbers of standing places by `area:ticket type`.
    pub quantities: BTreeMap<String, u32>,
    /// The ticket type for all seats of the listed area.
    pub ticket_type: String,
    pub code: String,
    /// True if the buyer needs the wheelchair spaces among the seats.
    pub accessible: bool,
    /// The form for the best seats.
    pub best: BestSeatsForm,
}

/// The form for the best seats as the buyer filled it in.
#[derive(Debug, Default, Clone)]
pub struct BestSeatsForm {
    /// The area's identifier.
    pub area: String,
    /// The ticket type's identifier.
    pub ticket_type: String,
    /// The number of seats.
    pub quantity: String,
    /// The wheelchair spaces among them.
    pub accessible: String,
    /// The companion seats among them.
    pub companions: String,
}

/// Reads a choice and ignores invalid fields.
pub fn read_choice(form: &Form, listing: &Listing) -> ChosenPlaces {
    let kept = form.all("keep").flat_map(|list| list.split(','));
    let ticked = form.all("place").chain(kept).filter_map(|text| text.trim().parse().ok()).map(PlaceNumber);
    let mut places: Vec<(PlaceNumber, Option<TicketTypeId>)> = Vec::new();
    for place in ticked {
        if places.len() < KEPT_PLACES_MAX && places.iter().all(|(known, _)| *known != place) {
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
        true => BestSeatsForm {
            area: text("area"),
            ticket_type: text("ticket_type"),
            quantity: text("quantity"),
            accessible: text("accessible"),
            companions: text("companions"),
        },
        false => BestSeatsForm::default(),
    };
    let ticket_type = if is_best { String::new() } else { text("ticket_type") };
    let accessible = !is_best && form.get("accessible").is_some_and(|text| text != "0");
    ChosenPlaces { places, quantities: quantities.collect(), ticket_type, code: text("code"), accessible, best }
}

/// The ticket type that a seat keeps when another area is listed: the seat's, else the one for all seats, if it is sold for this seat.
fn kept_type(form: &Form, listing: &Listing, place: PlaceNumber) -> Option<TicketTypeId> {
    let named = form.get(&format!("type:{}", place.0)).or_else(|| form.get("ticket_type"))?;
    let found = listing.ticket_type(named.parse().ok()?)?;
    let area = listing.layout.area_of(place)?;
    found.is_sold_in(area.id, listing.layout.category(place).unwrap_or_default()).then_some(found.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantity_that_is_no_number_is_refused_with_its_field() {
        assert_eq!((number(" 3 ", "quantity").unwrap(), number("", "quantity").unwrap()), (3, 0));
        let refusal = number("many", "quantity").unwrap_err();
        assert_eq!(refusal.evidence.field.as_deref(), Some("quantity"));
    }
}
