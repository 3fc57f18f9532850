//! From drafts to a layout: every limit, name and label is checked, then the places are numbered.
//!
//! Never: a layout with two seats that read the same on a ticket, or a number that depends on anything but the order of the drafts (P1).
//! To add a limit: a named constant here, its check below, and both of its edges in `tests`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Area, AreaKind, Derived, Layout, Point, Row, Seat, SeatFlag};
use crate::catalog::wording::worded;
use crate::ids::AreaId;
use crate::refusal::Refusal;
use crate::text::folded;
use crate::ticketing::place::PlaceNumber;

/// Places in one layout: the largest stadium twice over; 50 KB as two bits each.
pub const MAX_PLACES: u32 = 200_000;
/// Areas in one layout.
pub const MAX_AREAS: usize = 500;
/// Rows in one area.
pub const MAX_ROWS_PER_AREA: usize = 5_000;
/// Seats in one row.
pub const MAX_SEATS_PER_ROW: usize = 1_000;
/// Categories in one layout, since each is a colour and a line of the price list.
pub const MAX_CATEGORIES: usize = 64;
/// Corners of an area's outline.
pub const MAX_OUTLINE_POINTS: usize = 500;
/// Characters of an area's name.
pub const AREA_NAME_MAX: usize = 80;
/// Characters of a row's name.
pub const ROW_NAME_MAX: usize = 40;
/// Characters of a seat's label.
pub const SEAT_LABEL_MAX: usize = 20;
/// Characters of what a ticket says of a row or a seat instead of the usual words.
pub const WORDS_MAX: usize = 60;
/// Characters of a category.
pub const CATEGORY_MAX: usize = 60;
/// How far from zero a coordinate may be, either way.
pub const COORDINATE_MAX: f32 = 1_000_000.0;

/// A part of a layout before its places are numbered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AreaDraft {
    /// Its identifier, unique in the layout.
    pub id: AreaId,
    /// What a person calls it, unique in the layout whatever its case.
    pub name: String,
    /// What it consists of.
    pub kind: AreaDraftKind,
    /// Where its buyers want to be near; none means the layout's own focus.
    #[serde(default)]
    pub focus: Option<Point>,
    /// The corners of its shape on the plan, where it has one.
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

    /// How many places it would have.
    #[must_use]
    pub fn place_count(&self) -> u64 {
        match &self.kind {
            AreaDraftKind::Seated { rows } => rows.iter().map(|row| row.seats.len() as u64).sum(),
            AreaDraftKind::GeneralAdmission { capacity, .. } => u64::from(*capacity),
        }
    }
}

/// What an area consists of.
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
        /// How many people; at least one.
        capacity: u32,
        /// The category all its places have.
        category: String,
    },
}

/// A row before its places are numbered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowDraft {
    /// What is written on it.
    pub name: String,
    /// What a ticket says instead of `Row {name}`.
    #[serde(default)]
    pub label: Option<String>,
    /// What a ticket says instead of `Seat {label}`, with `%s` for the label.
    #[serde(default)]
    pub seat_label: Option<String>,
    /// Left to right; at least one.
    pub seats: Vec<Seat>,
}

impl RowDraft {
    /// A row with the usual words.
    #[must_use]
    pub fn new(name: impl Into<String>, seats: Vec<Seat>) -> Self {
        Self { name: name.into(), label: None, seat_label: None, seats }
    }
}

impl Layout {
    /// Checks the drafts and numbers their places `0..n` in their order.
    ///
    /// # Errors
    /// `invalid_request` whose field is the path of what is wrong (`areas[0].rows[2].seats[4].label`).
    pub fn build(drafts: Vec<AreaDraft>) -> Result<Self, Refusal> {
        count("areas", drafts.len(), MAX_AREAS, "areas")?;
        let places: u64 = drafts.iter().map(AreaDraft::place_count).sum();
        if places > u64::from(MAX_PLACES) {
            return Err(Refusal::invalid("areas", format!("{places} places are more than the {MAX_PLACES} allowed.")));
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
            let name = worded(format!("{field}.name"), &draft.name, AREA_NAME_MAX)?;
            if !names.insert(folded(&name)) {
                return Err(Refusal::invalid(format!("{field}.name"), format!("Another area is called `{name}`.")));
            }
            count(&format!("{field}.outline"), draft.outline.len() + 1, MAX_OUTLINE_POINTS + 1, "corners")?;
            for (corner, point) in draft.outline.iter().enumerate() {
                position(&format!("{field}.outline[{corner}]"), *point)?;
            }
            if let Some(focus) = draft.focus {
                position(&format!("{field}.focus"), focus)?;
            }
            let first = PlaceNumber(next);
            let kind = numbered(&field, draft.kind, &mut next, &mut categories)?;
            let (focus, outline) = (draft.focus, draft.outline);
            let (categories, accessible) = (Derived::default(), Derived::default());
            areas.push(Area { id: draft.id, name, first, kind, focus, outline, categories, accessible });
        }
        Ok(Self { areas, flags_version: 0 })
    }
}

fn numbered(
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
            let category = categorised(&format!("{field}.category"), &category, categories)?;
            *next += capacity;
            Ok(AreaKind::GeneralAdmission { capacity, category })
        }
        AreaDraftKind::Seated { rows } => {
            count(&format!("{field}.rows"), rows.len(), MAX_ROWS_PER_AREA, "rows")?;
            let mut taken = BTreeSet::new();
            let mut numbered = Vec::with_capacity(rows.len());
            for (at, row) in rows.into_iter().enumerate() {
                numbered.push(seats(&format!("{field}.rows[{at}]"), row, next, &mut taken, categories)?);
            }
            Ok(AreaKind::Seated { rows: numbered })
        }
    }
}

/// A row with its first place; `taken` holds the (row, seat) texts of the area so far, since a ticket shows no more than these.
fn seats(
    field: &str,
    draft: RowDraft,
    next: &mut u32,
    taken: &mut BTreeSet<(String, String)>,
    categories: &mut BTreeSet<String>,
) -> Result<Row, Refusal> {
    let name = worded(format!("{field}.name"), &draft.name, ROW_NAME_MAX)?;
    let words = |name: &str, text: &Option<String>| {
        let text = text.as_ref().filter(|text| !text.trim().is_empty());
        text.map(|text| worded(format!("{field}.{name}"), text, WORDS_MAX)).transpose()
    };
    let (row_label, seat_label) = (words("label", &draft.label)?, words("seat_label", &draft.seat_label)?);
    let shown = row_label.as_ref().unwrap_or(&name);
    count(&format!("{field}.seats"), draft.seats.len(), MAX_SEATS_PER_ROW, "seats")?;
    let first = PlaceNumber(*next);
    let mut seats = Vec::with_capacity(draft.seats.len());
    for (at, seat) in draft.seats.into_iter().enumerate() {
        let field = format!("{field}.seats[{at}]");
        let label = worded(format!("{field}.label"), &seat.label, SEAT_LABEL_MAX)?;
        if !taken.insert((shown.clone(), label.clone())) {
            let detail = format!("Row `{shown}` has another seat `{label}`.");
            return Err(Refusal::invalid(format!("{field}.label"), detail));
        }
        position(&field, Point { x: seat.x, y: seat.y })?;
        let category = categorised(&format!("{field}.category"), &seat.category, categories)?;
        seats.push(Seat { label, x: seat.x, y: seat.y, category, flags: flags(&field, seat.flags)? });
        *next += 1;
    }
    Ok(Row { name, label: row_label, seat_label, first, seats })
}

pub(super) fn flags(field: &str, mut flags: Vec<SeatFlag>) -> Result<Vec<SeatFlag>, Refusal> {
    flags.sort_unstable();
    flags.dedup();
    if flags.contains(&SeatFlag::Accessible) && flags.contains(&SeatFlag::Companion) {
        return Err(Refusal::invalid(format!("{field}.flags"), "A seat is accessible or companion, not both."));
    }
    Ok(flags)
}

fn categorised(field: &str, text: &str, categories: &mut BTreeSet<String>) -> Result<String, Refusal> {
    let category = worded(field, text, CATEGORY_MAX)?;
    if !categories.contains(&category) {
        if categories.len() == MAX_CATEGORIES {
            return Err(Refusal::invalid(field, format!("More than the {MAX_CATEGORIES} categories allowed.")));
        }
        categories.insert(category.clone());
    }
    Ok(category)
}

fn position(field: &str, point: Point) -> Result<(), Refusal> {
    for (axis, value) in [("x", point.x), ("y", point.y)] {
        if !(value.is_finite() && value.abs() <= COORDINATE_MAX) {
            let detail = format!("Must be a number between -{COORDINATE_MAX} and {COORDINATE_MAX}.");
            return Err(Refusal::invalid(format!("{field}.{axis}"), detail));
        }
    }
    Ok(())
}

fn count(field: &str, got: usize, most: usize, what: &str) -> Result<(), Refusal> {
    if got == 0 {
        return Err(Refusal::invalid(field, "Must not be empty."));
    }
    if got > most {
        return Err(Refusal::invalid(field, format!("{got} {what} are more than the {most} allowed.")));
    }
    Ok(())
}
