//! Which seats are neighbours: as a row lists them, or by position where a stored row lists them in another order than they stand.
//!
//! Place numbers never change (P1): only who is whose neighbour follows from the positions, and only where these are safe to go by, that is where
//! no two seats of the row share one and walking the listed order is longer. Rows that are in order keep the parts that their plan gives them.

use crate::catalog::layout::{Point, Row, Seat};
use crate::catalog::row_order::{better_order, parts};

/// Seats that are neighbours one after the other.
pub(super) struct NeighbourRow<'a> {
    /// The lowest of the numbers that its seats are indexed by.
    pub first: u32,
    /// The seats with their places.
    pub seats: Vec<(u32, &'a Seat)>,
}

/// The neighbours among rows of one name that follow each other in an area.
pub(super) fn rows(rows: &[Row]) -> Vec<NeighbourRow<'_>> {
    let as_listed = |row: &'_ Row| better_order(&points(row.seats.iter())).is_none();
    let listed =
        rows.iter().map(|row| NeighbourRow { first: row.first.0, seats: row.places().zip(&row.seats).collect() });
    if rows.iter().all(as_listed) {
        return listed.collect();
    }
    // A row that was parted where its listed order leaps is one row again, parted at its aisles.
    let seats: Vec<(u32, &Seat)> = rows.iter().flat_map(|row| row.places().zip(&row.seats)).collect();
    let Some(order) = better_order(&points(seats.iter().map(|(_, seat)| *seat))) else { return listed.collect() };
    let mut ordered: Vec<(u32, &Seat)> = order.into_iter().map(|at| seats[at]).collect();
    let first = rows.first().map_or(0, |row| row.first.0);
    let mut found = Vec::new();
    for start in parts(&points(ordered.iter().map(|(_, seat)| *seat))).into_iter().rev() {
        let seats = ordered.split_off(start);
        found.push(NeighbourRow { first: first + u32::try_from(start).unwrap_or(u32::MAX), seats });
    }
    found.reverse();
    found
}

fn points<'a>(seats: impl Iterator<Item = &'a Seat>) -> Vec<Point> {
    seats.map(|seat| Point { x: seat.x, y: seat.y }).collect()
}
