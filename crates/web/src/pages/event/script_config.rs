//! Writes the data of the event page's scripts as one block of JSON that browsers do not execute.

use std::collections::BTreeMap;

use serde::Serialize;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::offers::{Offer, Offers};
use crate::pages::formatting::{decimals, sign};
use crate::pages::refusal_sentences::sentences_for_scripts;

#[derive(Serialize)]
struct ScriptConfig<'a> {
    event: String,
    on_sale: bool,
    sign: String,
    decimals: u32,
    places_max: u32,
    areas: Vec<AreaConfig<'a>>,
    categories: &'a [String],
    ticket_types: Vec<TypeConfig<'a>>,
    offers: &'a [Offer],
    focus: (f32, f32),
    keep: Vec<u32>,
    /// Places that the viewer holds.
    reserved: Vec<u32>,
    /// IANA name of the event's zone.
    timezone: &'a str,
    /// Sentences for refusals by code or limit.
    sentences: &'static BTreeMap<&'static str, String>,
    /// Part of the idempotency key of each hold from this page.
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
}

/// The block for an event's page; `keep` is chosen at first, `reserved` is held by the viewer, `key` belongs to the page's idempotency keys.
///
/// # Errors
/// [`Fault::Internal`] if it cannot be written as JSON.
pub fn script_config(
    listing: &Listing,
    offers: &Offers,
    on_sale: bool,
    keep: &[PlaceNumber],
    reserved: &[PlaceNumber],
    key: &str,
) -> StoreResult<String> {
    let Event { id, limits, currency, .. } = &listing.event;
    let focus = listing.layout.focus();
    let config = ScriptConfig {
        event: id.to_string(),
        on_sale,
        sign: sign(*currency),
        decimals: decimals(*currency),
        places_max: limits.places_per_hold,
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
            .map(|found| TypeConfig { id: found.id.to_string(), name: &found.name })
            .collect(),
        offers: &offers.all,
        focus: (focus.x, focus.y),
        keep: keep.iter().map(|place| place.0).collect(),
        key,
        reserved: reserved.iter().map(|place| place.0).collect(),
        timezone: &listing.event.timezone,
        sentences: sentences_for_scripts(),
    };
    Ok(escape_for_script(&serde_json::to_string(&config).map_err(Fault::internal)?))
}

/// Escapes JSON so that no name in it can end its `<script>` element.
fn escape_for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::escape_for_script;

    #[test]
    fn name_with_a_closing_script_tag_stays_inside_the_block() {
        let json = serde_json::to_string("</script><script>alert(1)</script>&").unwrap();
        let block = escape_for_script(&json);
        assert!(!block.contains(['<', '>', '&']));
        assert_eq!(serde_json::from_str::<String>(&block).unwrap(), "</script><script>alert(1)</script>&");
    }
}
