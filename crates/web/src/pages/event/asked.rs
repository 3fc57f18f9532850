//! From the fields of the event page's forms to the items of a hold.
//!
//! Fields: `place` (a seat, repeated), `type:{place}` or `ticket_type` (as what), `qty:{area}:{ticket type}` (standing places),
//! `area` with `quantity` and `ticket_type` (the best seats there).

use voelgoed_app::ticketing::picks::Item;
use voelgoed_domain::catalog::layout::Area;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::TicketTypeId;
use voelgoed_domain::refusal::{Code, Refusal};
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
    for text in form.all("place") {
        let place = text.parse().map_err(|_| Refusal::invalid("place", "Not a place."))?;
        let place = PlaceNumber(place);
        let own = form.get(&format!("type:{}", place.0)).or_else(|| form.get("ticket_type"));
        let ticket_type = match own {
            Some(text) => ticket_type(text)?,
            None => only_type(listing, place)?,
        };
        asked.items.push(Item::Place { place, ticket_type });
    }
    for (name, value) in &form.0 {
        let Some((area, kind)) = name.strip_prefix("qty:").and_then(|rest| rest.split_once(':')) else { continue };
        let quantity = number(value, name)?;
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
        return Err(Refusal::new(Code::InvalidRequest, "Choose at least one place first."));
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
fn only_type(listing: &Listing, place: PlaceNumber) -> Result<TicketTypeId, Refusal> {
    let area = listing.layout.area_of(place);
    let known = area.zip(listing.layout.category(place));
    let fits =
        |(area, category): (&Area, &str)| listing.ticket_types.iter().find(|found| found.fits(area.id, category));
    let fitting = known.and_then(fits);
    fitting.map(|found| found.id).ok_or_else(|| Refusal::invalid("place", "Nothing is sold for this place."))
}
