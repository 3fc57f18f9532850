//! A concert hall of 1,900 seats: stalls in curved rows with two aisles and a cross-aisle, galleries along both walls, a balcony.
//!
//! The stage is above, its front at y = 0; rows bend around a point behind it.

use super::shape::{Circle, Metres, Part, Spot, count, seated, trim};
use crate::catalog::layout::{AreaDraft, SeatFlag};
use crate::ids::AreaId;

const SEATS: usize = 1_900;
/// Metres between seats, between rows, and across an aisle.
const SEAT: f64 = 0.55;
const ROW: f64 = 0.95;
const AISLE: f64 = 1.2;
/// A wheelchair needs twice a seat's width.
const WHEELCHAIR: f64 = 1.1;
/// The rows' centre, the first row's radius, and half the angle that the stalls open.
const CENTRE_Y: f64 = -14.0;
const FRONT: f64 = 18.0;
const HALF: f64 = 0.52;
/// Where the middle block ends.
const AISLE_AT: f64 = 0.19;
/// Row letters: those that cannot be mistaken for digits.
const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";
/// The row behind the cross-aisle, whose ends are for wheelchairs and who comes with them.
const ACCESSIBLE_ROW: usize = 12;
const FOCUS: Metres = (0.0, 0.0);

/// 1,900 seats: `Stalls`, `Left gallery`, `Right gallery`, `Balcony`; categories `Premium`, `Category 1`, `Category 2`, `Category 3`,
/// `Restricted view`.
#[must_use]
pub fn concert_hall(mut new_id: impl FnMut() -> AreaId) -> Vec<AreaDraft> {
    let stalls = stalls();
    let galleries = [gallery(-1.0), gallery(1.0)];
    let mut balcony = balcony();
    let all = count(&stalls) + galleries.iter().map(|parts| count(parts)).sum::<usize>() + count(&balcony);
    trim(&mut balcony, all.saturating_sub(SEATS));
    let [left, right] = galleries;
    vec![
        seated(new_id(), "Stalls", stalls, FOCUS, &[]),
        seated(new_id(), "Left gallery", left, FOCUS, &[]),
        seated(new_id(), "Right gallery", right, FOCUS, &[]),
        seated(new_id(), "Balcony", balcony, FOCUS, &[]),
    ]
}

/// The three blocks of one row as (left, middle, right) angles.
fn blocks(circle: Circle, half: f64) -> [(f64, f64); 3] {
    let aisle = AISLE / circle.radius / 2.0;
    [(-half, -AISLE_AT - aisle), (-AISLE_AT + aisle, AISLE_AT - aisle), (AISLE_AT + aisle, half)]
}

fn stalls() -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, letter) in LETTERS.chars().enumerate() {
        let cross_aisle = if number >= ACCESSIBLE_ROW { 1.5 } else { 0.0 };
        let circle = Circle { centre_y: CENTRE_Y, radius: FRONT + ROW * number as f64 + cross_aisle };
        for (block, (from, to)) in blocks(circle, HALF).into_iter().enumerate() {
            let middle = block == 1;
            let spots = if number == ACCESSIBLE_ROW && !middle {
                wheelchairs(circle, from, to)
            } else {
                let category = match number {
                    0..8 if middle => "Premium",
                    0..16 => "Category 1",
                    _ => "Category 2",
                };
                let spots = circle.between(from, to, SEAT).map(|at| Spot::new(at, category)).collect();
                // From the ends of the first rows one looks at the stage from the side.
                if number < 3 {
                    restricted(spots, if block == 0 { 3 } else { 0 }, if block == 2 { 3 } else { 0 })
                } else {
                    spots
                }
            };
            parts.push(Part { row: letter.to_string(), spots });
        }
    }
    parts
}

/// Wheelchair and companion by turns.
fn wheelchairs(circle: Circle, from: f64, to: f64) -> Vec<Spot> {
    let by_turns = [SeatFlag::Accessible, SeatFlag::Companion].into_iter().cycle();
    let places = circle.between(from, to, WHEELCHAIR).zip(by_turns);
    places.map(|(at, flag)| Spot::new(at, "Category 1").flagged(flag)).collect()
}

/// The first `left` and last `right` seats of a row part have a restricted view.
fn restricted(mut spots: Vec<Spot>, left: usize, right: usize) -> Vec<Spot> {
    let seats = spots.len();
    for (at, spot) in spots.iter_mut().enumerate() {
        if at < left || at + right >= seats {
            spot.category = "Restricted view";
            spot.flags.push(SeatFlag::RestrictedView);
        }
    }
    spots
}

/// Two rows along a wall, from the stage to the back; `side` is -1 on the left.
fn gallery(side: f64) -> Vec<Part> {
    let row = |number: usize| {
        let spots = (0..36).map(|seat| {
            let along = Circle { centre_y: CENTRE_Y, radius: FRONT + 1.0 + SEAT * f64::from(seat) };
            let (x, y) = along.at(side * (HALF + 0.03));
            let outwards = 1.0 + ROW * number as f64;
            (x + side * outwards * HALF.cos(), y - outwards * HALF.sin())
        });
        let spots: Vec<Spot> = spots.map(|at| Spot::new(at, "Category 3")).collect();
        Part { row: (number + 1).to_string(), spots: restricted(spots, 8, 0) }
    };
    (0..2).map(row).collect()
}

fn balcony() -> Vec<Part> {
    let mut parts = Vec::new();
    for number in 0..7_u32 {
        let circle = Circle { centre_y: CENTRE_Y, radius: FRONT + 28.0 + ROW * f64::from(number) };
        let category = if number < 3 { "Category 2" } else { "Category 3" };
        for (block, (from, to)) in blocks(circle, HALF - 0.02).into_iter().enumerate() {
            let spots: Vec<Spot> = circle.between(from, to, SEAT).map(|at| Spot::new(at, category)).collect();
            let spots = restricted(spots, if block == 0 { 3 } else { 0 }, if block == 2 { 3 } else { 0 });
            parts.push(Part { row: (number + 1).to_string(), spots });
        }
    }
    parts
}
