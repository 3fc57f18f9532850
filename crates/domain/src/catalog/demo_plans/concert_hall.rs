//! Generates a concert hall of 1,900 seats: stalls in curved rows with two aisles and a cross-aisle, galleries along both walls, a balcony.
//!
//! The stage is at the top with its front at y = 0; the rows curve around a point behind the stage. All lengths are metres, all angles radians.

use super::seat_geometry::{Circle, Metres, RowPart, SeatDraft, remove_surplus, seat_count, seated_area};
use crate::catalog::layout::{AreaDraft, SeatFlag};
use crate::ids::AreaId;

const SEAT_COUNT: usize = 1_900;
const SEAT_SPACING: f64 = 0.55;
const ROW_SPACING: f64 = 0.95;
const AISLE_WIDTH: f64 = 1.2;
/// Twice the width of a seat.
const WHEELCHAIR_SPACING: f64 = 1.1;
/// The common centre of the curved rows.
const CENTRE_Y: f64 = -14.0;
const FIRST_ROW_RADIUS: f64 = 18.0;
/// Half of the angle that the stalls cover.
const STALLS_HALF_ANGLE: f64 = 0.52;
/// The angle at which the middle block ends.
const AISLE_ANGLE: f64 = 0.19;
/// Without I and O, which look like digits.
const ROW_LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";
/// The row behind the cross-aisle, whose side blocks are for wheelchairs and companions.
const ACCESSIBLE_ROW: usize = 12;
const FOCUS: Metres = (0.0, 0.0);

/// 1,900 seats: `Stalls`, `Left gallery`, `Right gallery`, `Balcony`; categories `Premium`, `Category 1`, `Category 2`, `Category 3`,
/// `Restricted view`.
#[must_use]
pub fn concert_hall(mut new_id: impl FnMut() -> AreaId) -> Vec<AreaDraft> {
    let stalls = stalls();
    let galleries = [gallery(-1.0), gallery(1.0)];
    let mut balcony = balcony();
    let all =
        seat_count(&stalls) + galleries.iter().map(|parts| seat_count(parts)).sum::<usize>() + seat_count(&balcony);
    remove_surplus(&mut balcony, all.saturating_sub(SEAT_COUNT));
    let [left, right] = galleries;
    vec![
        seated_area(new_id(), "Stalls", stalls, FOCUS, &[]),
        seated_area(new_id(), "Left gallery", left, FOCUS, &[]),
        seated_area(new_id(), "Right gallery", right, FOCUS, &[]),
        seated_area(new_id(), "Balcony", balcony, FOCUS, &[]),
    ]
}

/// The three blocks of one row as angles from left to right.
fn blocks(circle: Circle, half: f64) -> [(f64, f64); 3] {
    let aisle = AISLE_WIDTH / circle.radius / 2.0;
    [(-half, -AISLE_ANGLE - aisle), (-AISLE_ANGLE + aisle, AISLE_ANGLE - aisle), (AISLE_ANGLE + aisle, half)]
}

fn stalls() -> Vec<RowPart> {
    let mut parts = Vec::new();
    for (number, letter) in ROW_LETTERS.chars().enumerate() {
        let cross_aisle = if number >= ACCESSIBLE_ROW { 1.5 } else { 0.0 };
        let circle =
            Circle { centre_y: CENTRE_Y, radius: FIRST_ROW_RADIUS + ROW_SPACING * number as f64 + cross_aisle };
        for (block, (from, to)) in blocks(circle, STALLS_HALF_ANGLE).into_iter().enumerate() {
            let middle = block == 1;
            let seats = if number == ACCESSIBLE_ROW && !middle {
                wheelchairs(circle, from, to)
            } else {
                let category = match number {
                    0..8 if middle => "Premium",
                    0..16 => "Category 1",
                    _ => "Category 2",
                };
                let seats =
                    circle.positions_between(from, to, SEAT_SPACING).map(|at| SeatDraft::new(at, category)).collect();
                // The ends of the first rows see the stage from the side.
                if number < 3 {
                    restricted(seats, if block == 0 { 3 } else { 0 }, if block == 2 { 3 } else { 0 })
                } else {
                    seats
                }
            };
            parts.push(RowPart { row: letter.to_string(), seats });
        }
    }
    parts
}

/// Wheelchair and companion places in alternation.
fn wheelchairs(circle: Circle, from: f64, to: f64) -> Vec<SeatDraft> {
    let alternating = [SeatFlag::Accessible, SeatFlag::Companion].into_iter().cycle();
    let places = circle.positions_between(from, to, WHEELCHAIR_SPACING).zip(alternating);
    places.map(|(at, flag)| SeatDraft::new(at, "Category 1").with_flag(flag)).collect()
}

/// Marks the first `left` and the last `right` seats of a row part as restricted view.
fn restricted(mut seats: Vec<SeatDraft>, left: usize, right: usize) -> Vec<SeatDraft> {
    let count = seats.len();
    for (at, seat) in seats.iter_mut().enumerate() {
        if at < left || at + right >= count {
            seat.category = "Restricted view";
            seat.flags.push(SeatFlag::RestrictedView);
        }
    }
    seats
}

/// Two rows along a wall, from the stage to the back; `side` is -1 on the left.
fn gallery(side: f64) -> Vec<RowPart> {
    let row = |number: usize| {
        let seats = (0..36).map(|seat| {
            let along = Circle { centre_y: CENTRE_Y, radius: FIRST_ROW_RADIUS + 1.0 + SEAT_SPACING * f64::from(seat) };
            let (x, y) = along.position(side * (STALLS_HALF_ANGLE + 0.03));
            let outwards = 1.0 + ROW_SPACING * number as f64;
            (x + side * outwards * STALLS_HALF_ANGLE.cos(), y - outwards * STALLS_HALF_ANGLE.sin())
        });
        let seats: Vec<SeatDraft> = seats.map(|at| SeatDraft::new(at, "Category 3")).collect();
        RowPart { row: (number + 1).to_string(), seats: restricted(seats, 8, 0) }
    };
    (0..2).map(row).collect()
}

fn balcony() -> Vec<RowPart> {
    let mut parts = Vec::new();
    for number in 0..7_u32 {
        let circle = Circle { centre_y: CENTRE_Y, radius: FIRST_ROW_RADIUS + 28.0 + ROW_SPACING * f64::from(number) };
        let category = if number < 3 { "Category 2" } else { "Category 3" };
        for (block, (from, to)) in blocks(circle, STALLS_HALF_ANGLE - 0.02).into_iter().enumerate() {
            let seats: Vec<SeatDraft> =
                circle.positions_between(from, to, SEAT_SPACING).map(|at| SeatDraft::new(at, category)).collect();
            let seats = restricted(seats, if block == 0 { 3 } else { 0 }, if block == 2 { 3 } else { 0 });
            parts.push(RowPart { row: (number + 1).to_string(), seats });
        }
    }
    parts
}
