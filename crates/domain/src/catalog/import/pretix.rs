//! The seating-plan JSON of pretix: zones → rows → seats. Zones become areas; what a zone draws beside its rows is left out, as it sells nothing.
//!
//! Never: a category that the file does not list, two seats of one `seat_guid`. Fields that are not known are passed over, since versions differ.
//! To read another field: add it to the shapes below. Wheelchair places are not marked in this format: set their flags afterwards.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer};

use super::{coordinate_fault, invalid, parted_at_aisles};
use crate::catalog::layout::{AREA_NAME_MAX, AreaDraft, CATEGORY_MAX, ROW_NAME_MAX, RowDraft, SEAT_LABEL_MAX, Seat};
use crate::catalog::wording::worded;
use crate::ids::AreaId;
use crate::refusal::Refusal;

#[derive(Deserialize)]
struct Plan {
    zones: Vec<Zone>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Category {
    name: String,
}

#[derive(Deserialize)]
struct Zone {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    position: Position,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    row_number: Option<Words>,
    #[serde(default)]
    position: Position,
    seats: Vec<PlacedSeat>,
}

#[derive(Deserialize)]
struct PlacedSeat {
    #[serde(default)]
    seat_guid: Option<String>,
    seat_number: Words,
    position: Position,
    category: String,
}

#[derive(Deserialize, Clone, Copy, Default)]
struct Position {
    x: f32,
    y: f32,
}

/// A text, or a number that stands for one.
struct Words(String);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Words;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words(text.to_owned()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Words, E> {
                Ok(Words(number.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Words, E> {
                Ok(Words(number.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What has to be unique in the whole file or zone.
#[derive(Default)]
struct Seen {
    categories: BTreeSet<String>,
    guids: BTreeSet<String>,
    names: BTreeSet<String>,
}

pub(super) fn read(content: &[u8], mut new_id: impl FnMut() -> AreaId) -> Result<Vec<AreaDraft>, Refusal> {
    let deserializer = &mut serde_json::Deserializer::from_slice(content);
    let plan: Plan = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        // A `?` is a field whose name could not be read.
        let path = path.trim_end_matches('?').trim_end_matches('.');
        let place = if path.is_empty() { "the file" } else { path };
        invalid(place, &error.into_inner().to_string())
    })?;
    let mut seen = Seen::default();
    for (at, category) in plan.categories.iter().enumerate() {
        seen.categories.insert(words(&format!("categories[{at}].name"), &category.name, CATEGORY_MAX)?);
    }
    let mut areas = Vec::new();
    for (at, zone) in plan.zones.into_iter().enumerate() {
        if zone.rows.iter().all(|row| row.seats.is_empty()) {
            continue;
        }
        let field = format!("zones[{at}]");
        let name = zone.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| format!("Zone {}", at + 1));
        let name = words(&format!("{field}.name"), &name, AREA_NAME_MAX)?;
        if !seen.names.insert(name.to_lowercase()) {
            return Err(invalid(format!("{field}.name"), &format!("another zone is called `{name}`")));
        }
        let mut labels = BTreeSet::new();
        let mut rows = Vec::new();
        for (at, row) in zone.rows.into_iter().enumerate() {
            rows.extend(read_row(&format!("{field}.rows[{at}]"), at, row, zone.position, &mut seen, &mut labels)?);
        }
        areas.push(AreaDraft::seated(new_id(), name, rows));
    }
    if areas.is_empty() {
        return Err(invalid("zones", "no zone has seats"));
    }
    Ok(areas)
}

fn read_row(
    field: &str,
    at: usize,
    row: Row,
    zone: Position,
    seen: &mut Seen,
    labels: &mut BTreeSet<(String, String)>,
) -> Result<Vec<RowDraft>, Refusal> {
    let name = row.row_number.map(|name| name.0).filter(|name| !name.trim().is_empty());
    let name = words(&format!("{field}.row_number"), &name.unwrap_or_else(|| (at + 1).to_string()), ROW_NAME_MAX)?;
    let mut seats = Vec::with_capacity(row.seats.len());
    for (at, seat) in row.seats.into_iter().enumerate() {
        let field = format!("{field}.seats[{at}]");
        let label = words(&format!("{field}.seat_number"), &seat.seat_number.0, SEAT_LABEL_MAX)?;
        if !labels.insert((name.clone(), label.clone())) {
            let fault = format!("row `{name}` of this zone has another seat `{label}`");
            return Err(invalid(format!("{field}.seat_number"), &fault));
        }
        if let Some(guid) = seat.seat_guid
            && !seen.guids.insert(guid.clone())
        {
            return Err(invalid(format!("{field}.seat_guid"), &format!("another seat has `{guid}`")));
        }
        let category = seat.category.trim().to_owned();
        if !seen.categories.contains(&category) {
            return Err(invalid(format!("{field}.category"), &format!("`{category}` is not one of the categories")));
        }
        let x = zone.x + row.position.x + seat.position.x;
        let y = zone.y + row.position.y + seat.position.y;
        for (axis, value) in [("x", x), ("y", y)] {
            if let Some(fault) = coordinate_fault(value) {
                return Err(invalid(format!("{field}.position.{axis}"), &fault));
            }
        }
        seats.push(Seat { label, x, y, category, flags: Vec::new() });
    }
    Ok(parted_at_aisles(&name, seats))
}

fn words(field: &str, text: &str, most: usize) -> Result<String, Refusal> {
    worded(field, text, most).map_err(|refusal| invalid(field, &refusal.detail))
}
