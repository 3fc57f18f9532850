//! Builds a layout from area drafts: checks every limit, name and label, then numbers the places.
//!
//! Never: two seats with the same text on a ticket, or a place number that depends on anything but the order of the drafts (P1).
//! To add a limit: a named constant here, its check below, and both of its edges in `tests`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Area, AreaKind, Layout, LayoutRow, LazyCache, Point, Seat, SeatFlag};
use crate::ids::AreaId;
use crate::refusal::Refusal;
use crate::text::{folded, single_line};
use crate::ticketing::place_number::PlaceNumber;

/// Places in one layout: twice the largest stadium; 50 KB at two bits each.
pub const PLACES_MAX: u32 = 200_000;
/// Areas in one layout.
pub const AREAS_MAX: usize = 500;
/// Rows in one area.
pub const ROWS_PER_AREA_MAX: usize = 5_000;
/// Seats in one row.
pub const SEATS_PER_ROW_MAX: usize = 1_000;
/// Categories in one layout; each is a colour and a line of the price list.
pub const CATEGORIES_MAX: usize = 64;
/// Corners of an area's outline.
pub const OUTLINE_POINTS_MAX: usize = 500;
/// Characters of an area's name.
pub const AREA_NAME_CHARS_MAX: usize = 80;
/// Characters of a row's name.
pub const ROW_NAME_CHARS_MAX: usize = 40;
/// Characters of a seat's label.
pub const SEAT_LABEL_CHARS_MAX: usize = 20;
/// Characters of the ticket label of a row or a seat.
pub const TICKET_LABEL_CHARS_MAX: usize = 60;
/// Characters of a category.
pub const CATEGORY_CHARS_MAX: usize = 60;
/// Absolute value of a coordinate.
pub const COORDINATE_MAX: f32 = 1_000_000.0;

/// An area before its places are numbered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AreaDraft {
    /// Unique in the layout.
    pub id: AreaId,
    /// Display name, unique in the layout without case.
    pub name: String,
    /// Seats, or a capacity.
    pub kind: AreaDraftKind,
    /// The point that the best seats are close to; `None` means the focus of the layout.
    #[serde(default)]
    pub focus: Option<Point>,
    /// Corners of its shape on the plan; may be empty.
    #[serde(default)]
    pub outline: Vec<Point>,
}

impl AreaDraft {
    /// A seated area without a focus or an outline of its own.
    #[must_use]
    pub fn seated(id: AreaId, name: impl Into<String>, rows: Vec<RowDraft>) -> Self {
        Self { id, name: name.into(), kind: AreaDraftKind::Seated { rows }, focus: None, outline: Vec::new() }
    }

    /// A general-admission area without an outline.
    #[must_use]
    pub fn general(id: AreaId, name: impl Into<String>, capacity: u32, category: impl Into<String>) -> Self {
        let kind = AreaDraftKind::GeneralAdmission { capacity, category: category.into() };
        Self { id, name: name.into(), kind, focus: None, outline: Vec::new() }
    }

    /// Number of places of the area.
    #[must_use]
    pub fn place_count(&self) -> u64 {
        match &self.kind {
            AreaDraftKind::Seated { rows } => rows.iter().map(|row| row.seats.len() as u64).sum(),
            AreaDraftKind::GeneralAdmission { capacity, .. } => u64::from(*capacity),
        }
    }
}

/// Whether the places of an area are seats or a capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaDraftKind {
    /// Numbered seats in rows, front to back.
    Seated {
        /// At least one.
        rows: Vec<RowDraft>,
    },
    /// A capacity, without numbered seats.
    GeneralAdmission {
        /// Number of people; at least one.
        capacity: u32,
        /// The category of all its places.
        category: String,
    },
}

/// A row before its places are numbered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowDraft {
    /// The name on the row.
    pub name: String,
    /// Printed on tickets instead of `Row {name}`.
    #[serde(default)]
    pub label: Option<String>,
    /// Printed on tickets instead of `Seat {label}`, with `%s` for the label.
    #[serde(default)]
    pub seat_label: Option<String>,
    /// Left to right; at least one.
    pub seats: Vec<Seat>,
}

impl RowDraft {
    /// A row without ticket labels of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, seats: Vec<Seat>) -> Self {
        Self { name: name.into(), label: None, seat_label: None, seats }
    }
}

impl Layout {
    /// Checks the drafts and numbers their places `0..n` in their order.
    ///
    /// # Errors
    /// `invalid_request` with the path of the wrong value (`areas[0].rows[2].seats[4].label`).
    pub fn build(drafts: Vec<AreaDraft>) -> Result<Self, Refusal> {
        check_count("areas", drafts.len(), AREAS_MAX, "areas")?;
        let places: u64 = drafts.iter().map(AreaDraft::place_count).sum();
        if places > u64::from(PLACES_MAX) {
            return Err(Refusal::invalid("areas", format!("{places} places are more than the {PLACES_MAX} allowed.")));
        }
        let mut ids = BTreeSet::new();
        let mut names = BTreeSet::new();
        let mut categories = BTreeSet::new();
        let mut next = 0;
        let mut areas = Vec::with_capacity(drafts.len());
        for (at, draft) in drafts.into_iter().enumerate() {
            let field = format!("areas[{at}]");
            if !ids.insert(draft.id) {
                return Err(Refusal::invalid(format!("{field}.id"), "Another area has this id."));
            }
            let name = single_line(format!("{field}.name"), &draft.name, AREA_NAME_CHARS_MAX)?;
            if !names.insert(folded(&name)) {
                return Err(Refusal::invalid(format!("{field}.name"), format!("Another area is called `{name}`.")));
            }
            check_count(&format!("{field}.outline"), draft.outline.len() + 1, OUTLINE_POINTS_MAX + 1, "corners")?;
            for (corner, point) in draft.outline.iter().enumerate() {
                check_position(&format!("{field}.outline[{corner}]"), *point)?;
            }
            if let Some(focus) = draft.focus {
                check_position(&format!("{field}.focus"), focus)?;
            }
            let first = PlaceNumber(next);
            let kind = number_area(&field, draft.kind, &mut next, &mut categories)?;
            let (focus, outline) = (draft.focus, draft.outline);
            let (categories, accessible) = (LazyCache::default(), LazyCache::default());
            areas.push(Area { id: draft.id, name, first, kind, focus, outline, categories, accessible });
        }
        Ok(Self { areas, flags_version: 0 })
    }
}

fn number_area(
    field: &str,
    kind: AreaDraftKind,
    next: &mut u32,
    categories: &mut BTreeSet<String>,
) -> Result<AreaKind, Refusal> {
    match kind {
        AreaDraftKind::GeneralAdmission { capacity, category } => {
            if capacity == 0 {
                return Err(Refusal::invalid(format!("{field}.capacity"), "Must be at least 1."));
            }
            let category = known_category(&format!("{field}.category"), &category, categories)?;
            *next += capacity;
            Ok(AreaKind::GeneralAdmission { capacity, category })
        }
        AreaDraftKind::Seated { rows } => {
            check_count(&format!("{field}.rows"), rows.len(), ROWS_PER_AREA_MAX, "rows")?;
            let mut taken = BTreeSet::new();
            let mut numbered = Vec::with_capacity(rows.len());
            for (at, row) in rows.into_iter().enumerate() {
                numbered.push(number_row(&format!("{field}.rows[{at}]"), row, next, &mut taken, categories)?);
            }
            Ok(AreaKind::Seated { rows: numbered })
        }
    }
}

/// Numbers the places of a row. `taken` has the (row, seat) texts of the area so far; a ticket shows only these two, so they have to be unique.
fn number_row(
    field: &str,
    draft: RowDraft,
    next: &mut u32,
    taken: &mut BTreeSet<(String, String)>,
    categories: &mut BTreeSet<String>,
) -> Result<LayoutRow, Refusal> {
    let name = single_line(format!("{field}.name"), &draft.name, ROW_NAME_CHARS_MAX)?;
    let ticket_label = |name: &str, text: &Option<String>| {
        let text = text.as_ref().filter(|text| !text.trim().is_empty());
        text.map(|text| single_line(format!("{field}.{name}"), text, TICKET_LABEL_CHARS_MAX)).transpose()
    };
    let (row_label, seat_label) =
        (ticket_label("label", &draft.label)?, ticket_label("seat_label", &draft.seat_label)?);
    let shown = row_label.as_ref().unwrap_or(&name);
    check_count(&format!("{field}.seats"), draft.seats.len(), SEATS_PER_ROW_MAX, "seats")?;
    let first = PlaceNumber(*next);
    let mut seats = Vec::with_capacity(draft.seats.len());
    for (at, seat) in draft.seats.into_iter().enumerate() {
        let field = format!("{field}.seats[{at}]");
        let label = single_line(format!("{field}.label"), &seat.label, SEAT_LABEL_CHARS_MAX)?;
        if !taken.insert((shown.clone(), label.clone())) {
            let detail = format!("Row `{shown}` has another seat `{label}`.");
            return Err(Refusal::invalid(format!("{field}.label"), detail));
        }
        check_position(&field, Point { x: seat.x, y: seat.y })?;
        let category = known_category(&format!("{field}.category"), &seat.category, categories)?;
        seats.push(Seat { label, x: seat.x, y: seat.y, category, flags: normalized_flags(&field, seat.flags)? });
        *next += 1;
    }
    Ok(LayoutRow { name, label: row_label, seat_label, first, seats })
}

/// Sorts flags, removes repeated ones, and refuses flags that exclude each other.
pub(super) fn normalized_flags(field: &str, mut flags: Vec<SeatFlag>) -> Result<Vec<SeatFlag>, Refusal> {
    flags.sort_unstable();
    flags.dedup();
    if flags.contains(&SeatFlag::Accessible) && flags.contains(&SeatFlag::Companion) {
        return Err(Refusal::invalid(format!("{field}.flags"), "A seat is accessible or companion, not both."));
    }
    Ok(flags)
}

fn known_category(field: &str, text: &str, categories: &mut BTreeSet<String>) -> Result<String, Refusal> {
    let category = single_line(field, text, CATEGORY_CHARS_MAX)?;
    if !categories.contains(&category) {
        if categories.len() == CATEGORIES_MAX {
            return Err(Refusal::invalid(field, format!("More than the {CATEGORIES_MAX} categories allowed.")));
        }
        categories.insert(category.clone());
    }
    Ok(category)
}

fn check_position(field: &str, point: Point) -> Result<(), Refusal> {
    for (axis, value) in [("x", point.x), ("y", point.y)] {
        if !(value.is_finite() && value.abs() <= COORDINATE_MAX) {
            let detail = format!("Must be a number between -{COORDINATE_MAX} and {COORDINATE_MAX}.");
            return Err(Refusal::invalid(format!("{field}.{axis}"), detail));
        }
    }
    Ok(())
}

fn check_count(field: &str, got: usize, max: usize, what: &str) -> Result<(), Refusal> {
    if got == 0 {
        return Err(Refusal::invalid(field, "Must not be empty."));
    }
    if got > max {
        return Err(Refusal::invalid(field, format!("{got} {what} are more than the {max} allowed.")));
    }
    Ok(())
}
