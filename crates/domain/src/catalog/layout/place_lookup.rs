//! Looks up the area, seat, ticket label and category of a place number by binary search, and areas by name.
//!
//! Never: a linear search over seats; lookups run for each line of a hold and each ticket.
//! To add a lookup: build it on [`Layout::area_of`].

use std::ops::Range;

use super::{Area, AreaKind, Layout, LayoutRow, Point, Seat};
use crate::ids::AreaId;
use crate::text::folded;
use crate::ticketing::place_number::PlaceNumber;

/// A seat with its row and area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeatRef<'a> {
    /// Number of the place.
    pub place: PlaceNumber,
    /// Area of the seat.
    pub area: &'a Area,
    /// Row of the seat.
    pub row: &'a LayoutRow,
    /// Index of the row in its area.
    pub row_index: usize,
    /// The seat itself.
    pub seat: &'a Seat,
    /// Index of the seat in its row.
    pub seat_index: usize,
}

impl Area {
    /// Number of places. O(1).
    #[must_use]
    pub fn place_count(&self) -> u32 {
        match &self.kind {
            AreaKind::GeneralAdmission { capacity, .. } => *capacity,
            AreaKind::Seated { rows } => rows.last().map_or(0, |row| row.places().end - self.first.0),
        }
    }

    /// The place numbers `first..end`. O(1).
    #[must_use]
    pub fn places(&self) -> Range<u32> {
        self.first.0..self.first.0 + self.place_count()
    }

    /// The rows; empty for general admission.
    #[must_use]
    pub fn rows(&self) -> &[LayoutRow] {
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

    /// The categories in the order of their first place, each once. Cached, since every page calls this.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        self.categories.0.get_or_init(|| self.find_categories()).iter().map(String::as_str)
    }

    fn find_categories(&self) -> Vec<String> {
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

impl LayoutRow {
    /// The place numbers `first..end`.
    #[must_use]
    pub fn places(&self) -> Range<u32> {
        // `build` bounds a row to SEATS_PER_ROW_MAX.
        self.first.0..self.first.0 + u32::try_from(self.seats.len()).unwrap_or(u32::MAX)
    }

    /// True where tickets have another text than `Row … · Seat …`.
    #[must_use]
    pub const fn has_own_labels(&self) -> bool {
        self.label.is_some() || self.seat_label.is_some()
    }

    /// The text of the row on a ticket.
    #[must_use]
    pub fn ticket_label(&self) -> String {
        self.label.clone().unwrap_or_else(|| format!("Row {}", self.name))
    }

    /// The text on a ticket of the seat with this label.
    #[must_use]
    pub fn ticket_seat_label(&self, label: &str) -> String {
        match &self.seat_label {
            Some(pattern) if pattern.contains("%s") => pattern.replace("%s", label),
            Some(prefix) => format!("{prefix} {label}"),
            None => format!("Seat {label}"),
        }
    }
}

impl Layout {
    /// Number of places `n`; they are numbered `0..n`. O(1).
    #[must_use]
    pub fn place_count(&self) -> u32 {
        self.areas.last().map_or(0, |area| area.places().end)
    }

    /// The area with this id. O(areas), at most [`super::AREAS_MAX`].
    #[must_use]
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == id)
    }

    /// The area with this name, in any case.
    #[must_use]
    pub fn area_named(&self, name: &str) -> Option<&Area> {
        let wanted = folded(name);
        self.areas.iter().find(|area| folded(&area.name) == wanted)
    }

    /// The area of `place`. O(log areas).
    #[must_use]
    pub fn area_of(&self, place: PlaceNumber) -> Option<&Area> {
        let after = self.areas.partition_point(|area| area.first <= place);
        let area = self.areas.get(after.checked_sub(1)?)?;
        area.places().contains(&place.0).then_some(area)
    }

    /// The seat of `place`; `None` for general admission. O(log areas + log rows).
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

    /// The text of `place` on a ticket: `Balcony · Row C · Seat 12`, `Tent · Table 3, Chair 1` where the row has labels of its own, or the name of a
    /// general-admission area.
    #[must_use]
    pub fn label(&self, place: PlaceNumber) -> Option<String> {
        let area = self.area_of(place)?;
        Some(match self.seat(place) {
            Some(found) => {
                let between = if found.row.has_own_labels() { ", " } else { " · " };
                format!(
                    "{} · {}{between}{}",
                    area.name,
                    found.row.ticket_label(),
                    found.row.ticket_seat_label(&found.seat.label)
                )
            }
            None => area.name.clone(),
        })
    }

    /// Price category of `place`.
    #[must_use]
    pub fn category(&self, place: PlaceNumber) -> Option<&str> {
        match &self.area_of(place)?.kind {
            AreaKind::GeneralAdmission { category, .. } => Some(category),
            AreaKind::Seated { .. } => self.seat(place).map(|found| found.seat.category.as_str()),
        }
    }

    /// The categories in the order of their first place, each once.
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

    /// The point that the best seats are close to where an area gives none: the horizontal middle of all seats, at the front row. O(seats).
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
