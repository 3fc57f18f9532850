//! From a place's number to its seat, words and category, and back to areas by name.
//!
//! Never: a walk over seats where a binary search will do; these run per line of a hold and per ticket.
//! To add a lookup: build it on [`Layout::area_of`], which knows the numbering.

use std::ops::Range;

use super::{Area, AreaKind, Layout, Point, Row, Seat};
use crate::ids::AreaId;
use crate::text::folded;
use crate::ticketing::place::PlaceNumber;

/// A seat with its surroundings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeatRef<'a> {
    /// Its number.
    pub place: PlaceNumber,
    /// Its area.
    pub area: &'a Area,
    /// Its row.
    pub row: &'a Row,
    /// The row's index in its area.
    pub row_index: usize,
    /// The seat itself.
    pub seat: &'a Seat,
    /// The seat's index in its row.
    pub seat_index: usize,
}

impl Area {
    /// How many places it has. O(1).
    #[must_use]
    pub fn place_count(&self) -> u32 {
        match &self.kind {
            AreaKind::GeneralAdmission { capacity, .. } => *capacity,
            AreaKind::Seated { rows } => rows.last().map_or(0, |row| row.places().end - self.first.0),
        }
    }

    /// The numbers of its places, `first..end`. O(1).
    #[must_use]
    pub fn places(&self) -> Range<u32> {
        self.first.0..self.first.0 + self.place_count()
    }

    /// Its rows; none for general admission.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        match &self.kind {
            AreaKind::Seated { rows } => rows,
            AreaKind::GeneralAdmission { .. } => &[],
        }
    }

    /// True where its places have numbered seats.
    #[must_use]
    pub const fn is_seated(&self) -> bool {
        matches!(self.kind, AreaKind::Seated { .. })
    }

    /// Its categories in the order of their first place, each once. Walks every seat at the first call only: pages ask each time.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        self.categories.0.get_or_init(|| self.found_categories()).iter().map(String::as_str)
    }

    fn found_categories(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut note = |category: &String| {
            if !found.contains(category) {
                found.push(category.clone());
            }
        };
        match &self.kind {
            AreaKind::GeneralAdmission { category, .. } => note(category),
            AreaKind::Seated { rows } => rows.iter().flat_map(|row| &row.seats).for_each(|seat| note(&seat.category)),
        }
        found
    }
}

impl Row {
    /// The numbers of its places, `first..end`.
    #[must_use]
    pub fn places(&self) -> Range<u32> {
        // `build` bounds a row to MAX_SEATS_PER_ROW.
        self.first.0..self.first.0 + u32::try_from(self.seats.len()).unwrap_or(u32::MAX)
    }

    /// True where the plan says it otherwise than `Row … · Seat …`.
    #[must_use]
    pub const fn has_own_words(&self) -> bool {
        self.label.is_some() || self.seat_label.is_some()
    }

    /// What a ticket says of the row.
    #[must_use]
    pub fn words(&self) -> String {
        self.label.clone().unwrap_or_else(|| format!("Row {}", self.name))
    }

    /// What a ticket says of its seat with this label.
    #[must_use]
    pub fn seat_words(&self, label: &str) -> String {
        match &self.seat_label {
            Some(words) if words.contains("%s") => words.replace("%s", label),
            Some(words) => format!("{words} {label}"),
            None => format!("Seat {label}"),
        }
    }
}

impl Layout {
    /// How many places it has: `n`, where they are numbered `0..n`. O(1).
    #[must_use]
    pub fn place_count(&self) -> u32 {
        self.areas.last().map_or(0, |area| area.places().end)
    }

    /// The area with this id. A scan of at most [`super::MAX_AREAS`] ids.
    #[must_use]
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == id)
    }

    /// The area with this name, whatever its case.
    #[must_use]
    pub fn area_named(&self, name: &str) -> Option<&Area> {
        let wanted = folded(name);
        self.areas.iter().find(|area| folded(&area.name) == wanted)
    }

    /// The area that `place` is in. O(log areas).
    #[must_use]
    pub fn area_of(&self, place: PlaceNumber) -> Option<&Area> {
        let after = self.areas.partition_point(|area| area.first <= place);
        let area = self.areas.get(after.checked_sub(1)?)?;
        area.places().contains(&place.0).then_some(area)
    }

    /// The seat that `place` is; none for general admission. O(log areas + log rows).
    #[must_use]
    pub fn seat(&self, place: PlaceNumber) -> Option<SeatRef<'_>> {
        let area = self.area_of(place)?;
        let rows = area.rows();
        let row_index = rows.partition_point(|row| row.first <= place).checked_sub(1)?;
        let row = rows.get(row_index)?;
        let seat_index = place.index() - row.first.index();
        let seat = row.seats.get(seat_index)?;
        Some(SeatRef { place, area, row, row_index, seat, seat_index })
    }

    /// What a ticket says of `place`: `Balcony · Row C · Seat 12`, `Tent · Table 3, Chair 1` where the plan has words of its own, or the area's name for
    /// general admission.
    #[must_use]
    pub fn label(&self, place: PlaceNumber) -> Option<String> {
        let area = self.area_of(place)?;
        Some(match self.seat(place) {
            Some(found) => {
                let between = if found.row.has_own_words() { ", " } else { " · " };
                format!("{} · {}{between}{}", area.name, found.row.words(), found.row.seat_words(&found.seat.label))
            }
            None => area.name.clone(),
        })
    }

    /// The price category of `place`.
    #[must_use]
    pub fn category(&self, place: PlaceNumber) -> Option<&str> {
        match &self.area_of(place)?.kind {
            AreaKind::GeneralAdmission { category, .. } => Some(category),
            AreaKind::Seated { .. } => self.seat(place).map(|found| found.seat.category.as_str()),
        }
    }

    /// Its categories in the order of their first place, each once.
    #[must_use]
    pub fn categories(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for category in self.areas.iter().flat_map(Area::categories) {
            if !found.contains(&category) {
                found.push(category);
            }
        }
        found
    }

    /// The centre front of the stage where no area says otherwise: the middle of all seats from left to right, at the frontmost of them.
    /// Walks every seat once.
    #[must_use]
    pub fn focus(&self) -> Point {
        let mut seats = self.areas.iter().flat_map(Area::rows).flat_map(|row| &row.seats);
        let Some(first) = seats.next() else { return Point { x: 0.0, y: 0.0 } };
        let (mut left, mut right, mut front) = (first.x, first.x, first.y);
        for seat in seats {
            left = left.min(seat.x);
            right = right.max(seat.x);
            front = front.min(seat.y);
        }
        Point { x: left.midpoint(right), y: front }
    }
}
