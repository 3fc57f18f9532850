//! Indexes the seats of a layout for fast choices: rows as ranges of indices, bitmaps per kind of seat, prefix sums of distances.
//!
//! A seat's index is its place number, except in rows whose places are numbered in another order than the seats are placed.
//! Never: the state of a place; an index is built once per layout and shared. To add a kind of seat: a bitmap here, and its use in `special_seats`.

use std::ops::Range;

use super::availability::Availability;
use super::neighbour_rows::{self, NeighbourRow};
use super::place_bitmap::Bits;
use super::{Closeness, NEIGHBOURING_ROWS_MAX};
use crate::catalog::layout::{Area, Layout, Point, Seat, SeatFlag};
use crate::ids::AreaId;

/// The cost of the seat furthest from the focus. A restricted view costs the same again, so that such seats come last.
const FURTHEST_SEAT_COST: f64 = 1_000_000.0;

/// An index over the seats of one or several areas.
#[derive(Debug, Clone)]
pub struct SeatingPlan {
    rows: Vec<PlanRow>,
    seats: Vec<PlanSeat>,
    joined: Bits,
    ordinary: Bits,
    accessible: Bits,
    companion: Bits,
    categories: Vec<(String, Bits)>,
    costs: Costs,
    /// Index and place of each seat whose index is not its place number, ascending by index.
    moved: Vec<(u32, u32)>,
}

/// A row as a range of places; its seats are `seats[seat..seat + len]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanRow {
    pub first: u32,
    pub len: u32,
    pub seat: usize,
    /// The number of its area; only rows of one area are neighbours.
    pub area: usize,
    /// True where the row has accessible or companion seats.
    pub special: bool,
}

impl PlanRow {
    pub const fn end(&self) -> u32 {
        self.first + self.len
    }
}

#[derive(Debug, Clone, Copy)]
struct PlanSeat {
    position: Point,
    focus: Point,
    restricted: bool,
}

/// The costs of seats by their distance from a focus.
#[derive(Debug, Clone)]
pub(super) struct Costs {
    /// The prefix sums of each row (0, 1, … seats), row by row; at most 1,000 seats of at most 2 · [`FURTHEST_SEAT_COST`] fit.
    sums: Vec<u32>,
    /// The cost of the nearest seat, by row.
    nearest: Vec<u32>,
    /// The rows, ordered by their nearest seat.
    pub order: Vec<usize>,
}

impl Costs {
    /// The cost of the places `first..first + len` of row number `row`.
    pub fn of(&self, plan: &SeatingPlan, row: usize, first: u32, len: u32) -> u32 {
        let at = plan.rows[row].seat + row + (first - plan.rows[row].first) as usize;
        self.sums[at + len as usize] - self.sums[at]
    }

    /// A lower bound of the cost of `quantity` seats of this row.
    pub fn at_least(&self, row: usize, quantity: u32) -> u64 {
        u64::from(self.nearest[row]) * u64::from(quantity)
    }

    /// The row with the nearest seat; of equals the first.
    pub fn nearest_row(&self, rows: Range<usize>) -> Option<usize> {
        rows.min_by_key(|row| self.nearest[*row])
    }

    fn new(rows: &[PlanRow], seats: &[PlanSeat], near: Option<Point>) -> Self {
        let distance = |seat: &PlanSeat| {
            let focus = near.unwrap_or(seat.focus);
            let (x, y) = (f64::from(seat.position.x - focus.x), f64::from(seat.position.y - focus.y));
            (x * x + y * y).sqrt()
        };
        let furthest = seats.iter().map(distance).fold(0.0, f64::max);
        let scale = if furthest > 0.0 { FURTHEST_SEAT_COST / furthest } else { 0.0 };
        let mut sums = Vec::with_capacity(seats.len() + rows.len());
        let mut nearest = Vec::with_capacity(rows.len());
        for row in rows {
            let (mut sum, mut least) = (0, u32::MAX);
            sums.push(0);
            for seat in &seats[row.seat..row.seat + row.len as usize] {
                let penalty = if seat.restricted { FURTHEST_SEAT_COST } else { 0.0 };
                // Between 0 and 2 · FURTHEST_SEAT_COST by construction.
                let cost = (distance(seat) * scale + penalty).round() as u32;
                sum += cost;
                least = least.min(cost);
                sums.push(sum);
            }
            nearest.push(least);
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|row| (nearest[*row], *row));
        Self { sums, nearest, order }
    }
}

impl SeatingPlan {
    /// Indexes the seated ones of `areas`, with distances to each area's own focus, else to `focus`.
    #[must_use]
    pub fn new(areas: &[&Area], focus: Point) -> Self {
        let mut areas: Vec<&Area> = areas.iter().copied().filter(|area| area.is_seated()).collect();
        areas.sort_by_key(|area| area.first);
        let from = areas.first().map_or(0, |area| area.first.0);
        let to = areas.last().map_or(0, |area| area.places().end);
        let empty = Bits::covering(from, to);
        let mut plan = Self {
            rows: Vec::new(),
            seats: Vec::new(),
            joined: empty.clone(),
            ordinary: empty.clone(),
            accessible: empty.clone(),
            companion: empty.clone(),
            categories: Vec::new(),
            costs: Costs { sums: Vec::new(), nearest: Vec::new(), order: Vec::new() },
            moved: Vec::new(),
        };
        for (number, area) in areas.into_iter().enumerate() {
            let focus = area.focus.unwrap_or(focus);
            for rows in area.rows().chunk_by(|one, next| one.name == next.name) {
                for row in neighbour_rows::rows(rows) {
                    plan.add_row(&row, number, focus, &empty);
                }
            }
        }
        plan.costs = Costs::new(&plan.rows, &plan.seats, None);
        plan
    }

    /// Adds consecutive seats; their indices count up from the lowest of their places.
    fn add_row(&mut self, row: &NeighbourRow<'_>, area: usize, focus: Point, empty: &Bits) {
        let special =
            |seat: &Seat| seat.flags.contains(&SeatFlag::Accessible) || seat.flags.contains(&SeatFlag::Companion);
        let len = u32::try_from(row.seats.len()).unwrap_or(u32::MAX);
        self.rows.push(PlanRow {
            first: row.first,
            len,
            seat: self.seats.len(),
            area,
            special: row.seats.iter().any(|(_, seat)| special(seat)),
        });
        (row.first..row.first + len.saturating_sub(1)).for_each(|index| self.joined.set(index));
        for (index, (place, seat)) in (row.first..).zip(&row.seats) {
            if index != *place {
                self.moved.push((index, *place));
            }
            self.add(index, seat, focus, empty);
        }
    }

    fn add(&mut self, place: u32, seat: &Seat, focus: Point, empty: &Bits) {
        let has = |flag| seat.flags.contains(&flag);
        if has(SeatFlag::Accessible) {
            self.accessible.set(place);
        } else if has(SeatFlag::Companion) {
            self.companion.set(place);
        } else {
            self.ordinary.set(place);
        }
        let known = self.categories.iter().position(|(name, _)| *name == seat.category);
        let at = known.unwrap_or_else(|| {
            self.categories.push((seat.category.clone(), empty.clone()));
            self.categories.len() - 1
        });
        self.categories[at].1.set(place);
        let position = Point { x: seat.x, y: seat.y };
        self.seats.push(PlanSeat { position, focus, restricted: has(SeatFlag::RestrictedView) });
    }

    /// The number of indexed seats.
    #[must_use]
    pub fn seat_count(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn rows(&self) -> &[PlanRow] {
        &self.rows
    }

    pub(super) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Set where a seat and the next one are in one row.
    pub(super) fn joined(&self) -> &Bits {
        &self.joined
    }

    pub(super) fn ordinary(&self) -> &Bits {
        &self.ordinary
    }

    pub(super) fn accessible(&self) -> &Bits {
        &self.accessible
    }

    pub(super) fn companion(&self) -> &Bits {
        &self.companion
    }

    /// The free seats of these categories, of all kinds; an empty list allows any category.
    pub(super) fn free(&self, view: &impl Availability, categories: &[String]) -> Bits {
        let mut free = self.ordinary.filled(|word| view.free_word(word));
        if !self.moved.is_empty() {
            let by_place = free.clone();
            self.moved.iter().for_each(|(index, place)| free.put(*index, by_place.get(*place)));
        }
        if categories.is_empty() {
            return free;
        }
        let mut wanted = self.ordinary.filled(|_| 0);
        for (_, mask) in self.categories.iter().filter(|(name, _)| categories.contains(name)) {
            wanted.add(mask);
        }
        free.and(&wanted)
    }

    /// The place of the seat with this index.
    pub(super) fn place_of(&self, index: u32) -> u32 {
        self.moved.binary_search_by_key(&index, |(index, _)| *index).map_or(index, |at| self.moved[at].1)
    }

    /// Costs by the distance from `point`. Visits every seat, so only parties with special seats pay for it.
    pub(super) fn costs_near(&self, point: Point) -> Costs {
        Costs::new(&self.rows, &self.seats, Some(point))
    }

    /// The number of the row of `place`, which must be a seat of the plan.
    pub(super) fn row_of(&self, place: u32) -> usize {
        self.rows.partition_point(|row| row.first <= place).saturating_sub(1)
    }

    pub(super) fn position(&self, place: u32) -> Point {
        let row = &self.rows[self.row_of(place)];
        self.seats[row.seat + (place - row.first) as usize].position
    }

    /// How near ascending `places` are to each other.
    pub(super) fn closeness(&self, places: &[u32]) -> Closeness {
        let (Some(low), Some(high)) = (places.first(), places.last()) else { return Closeness::Together };
        let (first, last) = (self.row_of(*low), self.row_of(*high));
        if first == last && (high - low) as usize == places.len() - 1 {
            Closeness::Together
        } else if self.rows[first].area == self.rows[last].area && last - first < NEIGHBOURING_ROWS_MAX {
            Closeness::Neighbouring
        } else {
            Closeness::Apart
        }
    }
}

/// One plan per seated area of a layout.
#[derive(Debug, Clone)]
pub struct SeatingPlans(Vec<(AreaId, SeatingPlan)>);

impl SeatingPlans {
    /// Indexes each seated area. Visits every seat, so build it once per layout.
    #[must_use]
    pub fn of(layout: &Layout) -> Self {
        let focus = layout.focus();
        let seated = layout.areas.iter().filter(|area| area.is_seated());
        Self(seated.map(|area| (area.id, SeatingPlan::new(&[area], focus))).collect())
    }

    /// The plan of this area; none for general admission.
    #[must_use]
    pub fn get(&self, area: AreaId) -> Option<&SeatingPlan> {
        self.0.iter().find(|(id, _)| *id == area).map(|(_, plan)| plan)
    }
}
