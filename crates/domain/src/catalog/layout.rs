//! A seating plan: areas in order, each seated or general admission; its places are numbered `0..n` in that order.
//!
//! Never changed once an event pins it, but for the flags of its seats: another change is a new version (P1: a place number means the same seat for ever).
//! Made by [`Layout::build`] only, so that every lookup may trust the numbering. To add a property of a seat: a field here, its check in `build`.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::ids::AreaId;
use crate::ticketing::place::PlaceNumber;

mod build;
mod flags;
mod lookup;
#[cfg(test)]
mod tests;

pub use build::{
    AREA_NAME_MAX, AreaDraft, AreaDraftKind, CATEGORY_MAX, COORDINATE_MAX, MAX_AREAS, MAX_CATEGORIES,
    MAX_OUTLINE_POINTS, MAX_PLACES, MAX_ROWS_PER_AREA, MAX_SEATS_PER_ROW, ROW_NAME_MAX, RowDraft, SEAT_LABEL_MAX,
    WORDS_MAX,
};
pub use flags::FLAG_PLACES_MAX;
pub use lookup::SeatRef;

/// A version of a seating plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// In place order: an area's places follow those of the area before it.
    pub areas: Vec<Area>,
    /// How often the flags of its seats were set since it was made: nothing else of a layout changes.
    #[serde(default)]
    pub flags_version: u32,
}

/// A part of a layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Its identifier, unique in the layout.
    pub id: AreaId,
    /// What a person calls it.
    pub name: String,
    /// Its first place.
    pub first: PlaceNumber,
    /// How its places are sold.
    pub kind: AreaKind,
    /// Where its buyers want to be near, in the plan's unit; none means [`Layout::focus`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Point>,
    /// The corners of its shape on the plan, in order; empty where nobody drew one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outline: Vec<Point>,
    /// What [`Area::categories`] has found.
    #[serde(skip)]
    categories: Derived<Vec<String>>,
    /// What [`Area::has_accessible`] has found.
    #[serde(skip)]
    accessible: Derived<bool>,
}

/// What follows from the rest of a value that never changes, made when it is first asked for. It takes no part in comparisons.
#[derive(Debug, Clone, Default)]
struct Derived<T>(OnceLock<T>);

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A position on the plan: `x` grows to the right, `y` downwards (away from a stage at the top).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// How an area's places are sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaKind {
    /// Numbered seats in rows.
    Seated {
        /// Front to back as the organizer gave them.
        rows: Vec<Row>,
    },
    /// A capacity, without numbered seats.
    GeneralAdmission {
        /// How many people.
        capacity: u32,
        /// The category all its places have.
        category: String,
    },
}

/// A row of a seated area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What is written on it; two rows may share it (left and right of an aisle) if their seats differ.
    pub name: String,
    /// What a ticket says instead of `Row {name}`, e.g. `Table 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What a ticket says instead of `Seat {label}`, with `%s` for the label, e.g. `Chair %s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat_label: Option<String>,
    /// Its first place.
    pub first: PlaceNumber,
    /// Left to right; neighbours in the list are neighbours in the hall.
    pub seats: Vec<Seat>,
}

/// A seat of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seat {
    /// What is written on it.
    pub label: String,
    /// Position on the plan, in the plan's own unit, growing to the right.
    pub x: f32,
    /// Position on the plan, growing downwards (away from the stage at the top).
    pub y: f32,
    /// The price category.
    pub category: String,
    /// What is special about it, in the order of [`SeatFlag`], each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<SeatFlag>,
}

/// What is special about a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatFlag {
    /// For a wheelchair; not given by best available unless asked for.
    Accessible,
    /// For who comes with a wheelchair user.
    Companion,
    /// The view is limited.
    RestrictedView,
}

impl SeatFlag {
    /// Every flag there is.
    pub const ALL: &'static [Self] = &[Self::Accessible, Self::Companion, Self::RestrictedView];

    /// The stable text, as stores, files and clients know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accessible => "accessible",
            Self::Companion => "companion",
            Self::RestrictedView => "restricted_view",
        }
    }

    /// The flag that `text` names, whatever its case.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|flag| flag.as_str().eq_ignore_ascii_case(text))
    }
}
