//! Defines a version of a seating plan: areas in order, seated or general admission, whose places are numbered `0..n` in that order.
//!
//! Never: a change after an event has pinned the version, except seat flags; every other change is a new version (P1: a place number always means the same
//! seat). Never: a layout built without [`Layout::build`]; lookups rely on its numbering.
//! To add a property of a seat: a field here, its check in `build`.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::ids::AreaId;
use crate::ticketing::place_number::PlaceNumber;

mod build;
mod place_lookup;
mod seat_flags;
#[cfg(test)]
mod tests;

pub use build::{
    AREA_NAME_CHARS_MAX, AREAS_MAX, AreaDraft, AreaDraftKind, CATEGORIES_MAX, CATEGORY_CHARS_MAX, COORDINATE_MAX,
    OUTLINE_POINTS_MAX, PLACES_MAX, ROW_NAME_CHARS_MAX, ROWS_PER_AREA_MAX, RowDraft, SEAT_LABEL_CHARS_MAX,
    SEATS_PER_ROW_MAX, TICKET_LABEL_CHARS_MAX,
};
pub use place_lookup::SeatRef;
pub use seat_flags::FLAGGED_PLACES_PER_REQUEST_MAX;

/// A version of a seating plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// In the order of their places.
    pub areas: Vec<Area>,
    /// How often seat flags were changed since the creation; nothing else of a layout changes.
    #[serde(default)]
    pub flags_version: u32,
}

/// A part of a layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Unique in the layout.
    pub id: AreaId,
    /// Display name.
    pub name: String,
    /// Number of the first place.
    pub first: PlaceNumber,
    /// Seats, or a capacity.
    pub kind: AreaKind,
    /// The point that the best seats are close to, in the unit of the plan; `None` means [`Layout::focus`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Point>,
    /// Corners of its shape on the plan, in order; empty where none was drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outline: Vec<Point>,
    /// Cache of [`Area::categories`].
    #[serde(skip)]
    categories: LazyCache<Vec<String>>,
    /// Cache of [`Layout::has_accessible`] for this area.
    #[serde(skip)]
    accessible: LazyCache<bool>,
}

/// A lazily computed value that follows from the rest of an immutable struct, and therefore is ignored by comparisons.
#[derive(Debug, Clone, Default)]
struct LazyCache<T>(OnceLock<T>);

impl<T> PartialEq for LazyCache<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A position on the plan: `x` grows to the right, `y` downwards (away from a stage at the top).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Grows to the right.
    pub x: f32,
    /// Grows downwards.
    pub y: f32,
}

/// Whether the places of an area are seats or a capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaKind {
    /// Numbered seats in rows.
    Seated {
        /// Front to back, in the order that the organizer gave.
        rows: Vec<LayoutRow>,
    },
    /// A capacity, without numbered seats.
    GeneralAdmission {
        /// Number of people.
        capacity: u32,
        /// The category of all its places.
        category: String,
    },
}

/// A row of a seated area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayoutRow {
    /// The name on the row. Two rows (left and right of an aisle) may share a name if their seat labels differ.
    pub name: String,
    /// Printed on tickets instead of `Row {name}`, e.g. `Table 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Printed on tickets instead of `Seat {label}`, with `%s` for the label, e.g. `Chair %s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat_label: Option<String>,
    /// Number of the first place.
    pub first: PlaceNumber,
    /// Left to right; neighbours in the list are neighbours in the hall.
    pub seats: Vec<Seat>,
}

/// A seat of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seat {
    /// The label on the seat.
    pub label: String,
    /// Position on the plan, in the unit of the plan; grows to the right.
    pub x: f32,
    /// Position on the plan; grows downwards, away from a stage at the top.
    pub y: f32,
    /// Price category.
    pub category: String,
    /// Special properties, sorted and unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<SeatFlag>,
}

/// A special property of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatFlag {
    /// For a wheelchair; best available offers it only on request.
    Accessible,
    /// For the companion of a wheelchair user.
    Companion,
    /// The view is limited.
    RestrictedView,
}

impl SeatFlag {
    /// Every flag.
    pub const ALL: &'static [Self] = &[Self::Accessible, Self::Companion, Self::RestrictedView];

    /// The stable text in stores, files and for clients.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accessible => "accessible",
            Self::Companion => "companion",
            Self::RestrictedView => "restricted_view",
        }
    }

    /// The flag that `text` names, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|flag| flag.as_str().eq_ignore_ascii_case(text))
    }
}
