//! Seats on curves: positions in metres, turned into rows that number their seats from one end to the other.
//!
//! Never: a label before the last seat is in place. To add a curve: a function that gives its positions from left to right.

use crate::catalog::layout::{AreaDraft, Point, RowDraft, Seat, SeatFlag};
use crate::ids::AreaId;

/// Units of a plan in one metre: seats half a metre apart are 20 units apart, as plans drawn in pixels have them.
const UNITS_PER_METRE: f64 = 40.0;

/// A position in metres.
pub(super) type Metres = (f64, f64);

/// A seat to be.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub at: Metres,
    pub category: &'static str,
    pub flags: Vec<SeatFlag>,
}

impl Spot {
    pub fn new(at: Metres, category: &'static str) -> Self {
        Self { at, category, flags: Vec::new() }
    }

    pub fn flagged(mut self, flag: SeatFlag) -> Self {
        self.flags.push(flag);
        self
    }
}

/// A row, or the part of one between two aisles; parts of one name follow each other and share their numbering.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub row: String,
    pub spots: Vec<Spot>,
}

/// A seated area of these parts, front to back.
pub(super) fn seated(id: AreaId, name: &str, parts: Vec<Part>, focus: Metres, outline: &[Metres]) -> AreaDraft {
    let mut rows: Vec<RowDraft> = Vec::new();
    let mut number = 0;
    for part in parts.into_iter().filter(|part| !part.spots.is_empty()) {
        if rows.last().is_none_or(|row| row.name != part.row) {
            number = 0;
        }
        let seat = |spot: Spot| {
            number += 1;
            let Point { x, y } = point(spot.at);
            Seat { label: number.to_string(), x, y, category: spot.category.to_owned(), flags: spot.flags }
        };
        let seats = part.spots.into_iter().map(seat).collect();
        rows.push(RowDraft::new(part.row, seats));
    }
    let focus = Some(point(focus));
    AreaDraft { focus, outline: outline.iter().copied().map(point).collect(), ..AreaDraft::seated(id, name, rows) }
}

/// A position in the plan's units, to a tenth.
pub(super) fn point((x, y): Metres) -> Point {
    let units = |metres: f64| ((metres * UNITS_PER_METRE * 10.0).round() / 10.0) as f32;
    Point { x: units(x), y: units(y) }
}

/// How many seats a part has.
pub(super) fn count(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.spots.len()).sum()
}

/// Takes `surplus` seats away from the last row, then the one before it, at both of its ends by turns.
pub(super) fn trim(parts: &mut Vec<Part>, surplus: usize) {
    for turn in 0..surplus {
        while parts.last().is_some_and(|part| part.spots.is_empty()) {
            parts.pop();
        }
        let Some(row) = parts.last().map(|part| part.row.clone()) else { return };
        if turn % 2 == 0 {
            parts.last_mut().and_then(|part| part.spots.pop());
        } else if let Some(part) = parts.iter_mut().find(|part| part.row == row && !part.spots.is_empty()) {
            part.spots.remove(0);
        }
    }
}

/// As many positions `spacing` apart as fit into `length`, centred on 0.
pub(super) fn centred(length: f64, spacing: f64) -> impl Iterator<Item = f64> {
    // A length is some metres, never negative here once floored at 0.
    let fit = (length / spacing).floor().max(0.0) as u32;
    (0..fit).map(move |n| (f64::from(n) - (f64::from(fit) - 1.0) / 2.0) * spacing)
}

/// A circle around a point on the plan's middle line; angles are from straight down, to the right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circle {
    /// Where its centre is on the middle line.
    pub centre_y: f64,
    pub radius: f64,
}

impl Circle {
    pub fn at(self, angle: f64) -> Metres {
        (self.radius * angle.sin(), self.centre_y + self.radius * angle.cos())
    }

    /// Positions `spacing` apart between two angles, from left to right.
    pub fn between(self, from: f64, to: f64, spacing: f64) -> impl Iterator<Item = Metres> {
        let middle = f64::midpoint(from, to);
        centred((to - from) * self.radius, spacing).map(move |along| self.at(middle + along / self.radius))
    }
}
