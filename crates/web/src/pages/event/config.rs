//! What the event page tells its scripts: one block of JSON, which no browser runs.

use std::collections::BTreeMap;

use serde::Serialize;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::offers::{Offer, Offers};
use crate::pages::sentences::for_scripts;
use crate::pages::text::{decimals, sign};

#[derive(Serialize)]
struct Config<'a> {
    event: String,
    name: &'a str,
    on_sale: bool,
    sign: String,
    decimals: u32,
    most_places: u32,
    areas: Vec<AreaConfig<'a>>,
    categories: &'a [String],
    ticket_types: Vec<TypeConfig<'a>>,
    offers: &'a [Offer],
    focus: (f32, f32),
    keep: Vec<u32>,
    /// Places that are reserved for whoever looks.
    own: Vec<u32>,
    /// In which moments are told.
    timezone: &'a str,
    /// What refusals mean, by code.
    sentences: &'static BTreeMap<&'static str, String>,
    /// Makes a hold repeatable.
    key: &'a str,
}

#[derive(Serialize)]
struct AreaConfig<'a> {
    id: String,
    name: &'a str,
    seated: bool,
    first: u32,
    count: u32,
    focus: Option<(f32, f32)>,
    outline: Vec<(f32, f32)>,
}

#[derive(Serialize)]
struct TypeConfig<'a> {
    id: String,
    name: &'a str,
    least: u32,
    most: u32,
}

/// The block for an event's page; `keep` is chosen again, `own` is reserved already, `key` makes a hold repeatable.
///
/// # Errors
/// [`Fault::Internal`] where it cannot be written as JSON.
pub fn block(
    listing: &Listing,
    offers: &Offers,
    on_sale: bool,
    keep: &[PlaceNumber],
    own: &[PlaceNumber],
    key: &str,
) -> StoreResult<String> {
    let Event { id, name, limits, currency, .. } = &listing.event;
    let focus = listing.layout.focus();
    let config = Config {
        event: id.to_string(),
        name,
        on_sale,
        sign: sign(*currency),
        decimals: decimals(*currency),
        most_places: limits.places_per_hold,
        areas: listing
            .layout
            .areas
            .iter()
            .map(|area| AreaConfig {
                id: area.id.to_string(),
                name: &area.name,
                seated: area.is_seated(),
                first: area.first.0,
                count: area.place_count(),
                focus: area.focus.map(|point| (point.x, point.y)),
                outline: area.outline.iter().map(|point| (point.x, point.y)).collect(),
            })
            .collect(),
        categories: &offers.categories,
        ticket_types: listing
            .ticket_types
            .iter()
            .map(|found| TypeConfig {
                id: found.id.to_string(),
                name: &found.name,
                least: found.limits.min_per_hold,
                most: found.limits.max_per_hold,
            })
            .collect(),
        offers: &offers.all,
        focus: (focus.x, focus.y),
        keep: keep.iter().map(|place| place.0).collect(),
        key,
        own: own.iter().map(|place| place.0).collect(),
        timezone: &listing.event.timezone,
        sentences: for_scripts(),
    };
    Ok(embedded(&serde_json::to_string(&config).map_err(Fault::internal)?))
}

/// JSON that cannot end its `<script>` element, whatever names it carries.
fn embedded(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::embedded;

    #[test]
    fn a_hostile_name_stays_inside_its_block() {
        let json = serde_json::to_string("</script><script>alert(1)</script>&").unwrap();
        let block = embedded(&json);
        assert!(!block.contains(['<', '>', '&']));
        assert_eq!(serde_json::from_str::<String>(&block).unwrap(), "</script><script>alert(1)</script>&");
    }
}
