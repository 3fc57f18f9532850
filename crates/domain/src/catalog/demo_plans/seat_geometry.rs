//! Places seats on curves in metres and converts them to area drafts whose rows number their seats from left to right.
//!
//! Never: a seat label before all seats are placed. To add a curve: a function that returns its positions from left to right.

use crate::catalog::layout::{AreaDraft, Point, RowDraft, Seat, SeatFlag};
use crate::ids::AreaId;

/// Plan units per metre: seats half a metre apart are 20 units apart, as in plans drawn in pixels.
const UNITS_PER_METRE: f64 = 40.0;

/// A position in metres.
pub(super) type Metres = (f64, f64);

/// A seat before it has a label.
#[derive(Debug, Clone)]
pub(super) struct SeatDraft {
    pub at: Metres,
    pub category: &'static str,
    pub flags: Vec<SeatFlag>,
}

impl SeatDraft {
    pub fn new(at: Metres, category: &'static str) -> Self {
        Self { at, category, flags: Vec::new() }
    }

    pub fn with_flag(mut self, flag: SeatFlag) -> Self {
        self.flags.push(flag);
        self
    }
}

/// A row, or its part between two aisles; parts with one name are consecutive and share their numbering.
#[derive(Debug, Clone)]
pub(super) struct RowPart {
    pub row: String,
    pub seats: Vec<SeatDraft>,
}

/// A seated area with these row parts, front to back.
pub(super) fn seated_area(id: AreaId, name: &str, parts: Vec<RowPart>, focus: Metres, outline: &[Metres]) -> AreaDraft {
    let mut rows: Vec<RowDraft> = Vec::new();
    let mut number = 0;
    for part in parts.into_iter().filter(|part| !part.seats.is_empty()) {
        if rows.last().is_none_or(|row| row.name != part.row) {
            number = 0;
        }
        let numbered = |seat: SeatDraft| {
            number += 1;
            let Point { x, y } = point(seat.at);
            Seat { label: number.to_string(), x, y, category: seat.category.to_owned(), flags: seat.flags }
        };
        let seats = part.seats.into_iter().map(numbered).collect();
        rows.push(RowDraft::new(part.row, seats));
    }
    let focus = Some(point(focus));
    AreaDraft { focus, outline: outline.iter().copied().map(point).collect(), ..AreaDraft::seated(id, name, rows) }
}

/// The position in plan units, rounded to a tenth.
pub(super) fn point((x, y): Metres) -> Point {
    let units = |metres: f64| ((metres * UNITS_PER_METRE * 10.0).round() / 10.0) as f32;
    Point { x: units(x), y: units(y) }
}

/// Number of seats in all parts.
pub(super) fn seat_count(parts: &[RowPart]) -> usize {
    parts.iter().map(|part| part.seats.len()).sum()
}

/// Removes `surplus` seats from the last row, then from the row before it, alternating between both ends of a row.
pub(super) fn remove_surplus(parts: &mut Vec<RowPart>, surplus: usize) {
    for removed in 0..surplus {
        while parts.last().is_some_and(|part| part.seats.is_empty()) {
            parts.pop();
        }
        let Some(row) = parts.last().map(|part| part.row.clone()) else { return };
        if removed % 2 == 0 {
            parts.last_mut().and_then(|part| part.seats.pop());
        } else if let Some(part) = parts.iter_mut().find(|part| part.row == row && !part.seats.is_empty()) {
            part.seats.remove(0);
        }
    }
}

/// The positions, `spacing` apart and centred on 0, that fit into `length`.
pub(super) fn centred(length: f64, spacing: f64) -> impl Iterator<Item = f64> {
    // At most some thousands, and not negative after `max`.
    let fit = (length / spacing).floor().max(0.0) as u32;
    (0..fit).map(move |n| (f64::from(n) - (f64::from(fit) - 1.0) / 2.0) * spacing)
}

/// A circle with its centre on the vertical middle line of the plan; angles are measured from straight down to the right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circle {
    /// Position of the centre on the middle line.
    pub centre_y: f64,
    pub radius: f64,
}

impl Circle {
    pub fn position(self, angle: f64) -> Metres {
        (self.radius * angle.sin(), self.centre_y + self.radius * angle.cos())
    }

    /// Positions `spacing` apart between two angles, from left to right.
    pub fn positions_between(self, from: f64, to: f64, spacing: f64) -> impl Iterator<Item = Metres> {
        let middle = f64::midpoint(from, to);
        centred((to - from) * self.radius, spacing).map(move |along| self.position(middle + along / self.radius))
    }
}
