//! Finds neighbouring seats by the listed order of a row, or by position where a row lists its seats in another order than they are placed.
//!
//! Never: changes a place number (P1); positions only decide which seats are neighbours. Positions are used only where no two seats of the row share
//! one and walking the listed order is longer. Rows that are listed in order keep the parts that their plan gives them.

use crate::catalog::layout::{LayoutRow, Point, Seat};
use crate::catalog::seat_order::{better_order, part_starts};

/// Consecutive seats, each a neighbour of the next.
pub(super) struct NeighbourRow<'a> {
    /// The lowest index of its seats.
    pub first: u32,
    /// The seats with their places.
    pub seats: Vec<(u32, &'a Seat)>,
}

/// The neighbours among consecutive rows of one name in an area.
pub(super) fn rows(rows: &[LayoutRow]) -> Vec<NeighbourRow<'_>> {
    let as_listed = |row: &'_ LayoutRow| better_order(&points(row.seats.iter())).is_none();
    let listed =
        rows.iter().map(|row| NeighbourRow { first: row.first.0, seats: row.places().zip(&row.seats).collect() });
    if rows.iter().all(as_listed) {
        return listed.collect();
    }
    // Joins a row that was split where its listed order jumps, and splits the row at its aisles instead.
    let seats: Vec<(u32, &Seat)> = rows.iter().flat_map(|row| row.places().zip(&row.seats)).collect();
    let Some(order) = better_order(&points(seats.iter().map(|(_, seat)| *seat))) else { return listed.collect() };
    let mut ordered: Vec<(u32, &Seat)> = order.into_iter().map(|at| seats[at]).collect();
    let first = rows.first().map_or(0, |row| row.first.0);
    let mut found = Vec::new();
    for start in part_starts(&points(ordered.iter().map(|(_, seat)| *seat))).into_iter().rev() {
        let seats = ordered.split_off(start);
        found.push(NeighbourRow { first: first + u32::try_from(start).unwrap_or(u32::MAX), seats });
    }
    found.reverse();
    found
}

fn points<'a>(seats: impl Iterator<Item = &'a Seat>) -> Vec<Point> {
    seats.map(|seat| Point { x: seat.x, y: seat.y }).collect()
}
