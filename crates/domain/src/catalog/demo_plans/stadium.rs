//! Generates a stadium of 60,000 seats in three tiers of blocks around a pitch of 105 by 68 metres, whose centre is (0, 0).
//!
//! Each tier follows a rectangle with round corners, each row further out than the one before; blocks are cut along the normals. All lengths are metres.

use std::f64::consts::FRAC_PI_2;

use super::seat_geometry::{Metres, RowPart, SeatDraft, centred, remove_surplus, seat_count, seated_area};
use crate::catalog::layout::{AreaDraft, SeatFlag};
use crate::ids::AreaId;

const SEAT_COUNT: usize = 60_000;
const SEAT_SPACING: f64 = 0.5;
const ROW_SPACING: f64 = 0.8;
const AISLE_WIDTH: f64 = 1.2;
/// Between a wheelchair place and the companion place beside it.
const WHEELCHAIR_SPACING: f64 = 1.1;
const PLATFORM_PLACES_PER_BLOCK_MAX: usize = 16;
/// Half of the long straight side of the first row.
const HALF_LONG: f64 = 40.0;
/// Half of the short straight side of the first row.
const HALF_SHORT: f64 = 22.0;
/// Corner radius of the first row.
const CORNER_RADIUS: f64 = 20.5;
const FOCUS: Metres = (0.0, 0.0);

/// A ring of blocks. `hundreds` is the first number of its block names, `offset` the distance of its first row from the innermost row.
struct Tier {
    hundreds: usize,
    offset: f64,
    rows: u32,
    corner_blocks: u32,
}

const TIERS: [Tier; 3] = [
    Tier { hundreds: 100, offset: 0.0, rows: 24, corner_blocks: 2 },
    Tier { hundreds: 200, offset: 23.5, rows: 10, corner_blocks: 3 },
    Tier { hundreds: 300, offset: 35.5, rows: 25, corner_blocks: 4 },
];

/// A straight side or a corner, clockwise from the upper side.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stretch {
    /// The direction of its middle in quarter turns from up, and half of its length.
    Straight(u32, f64),
    /// The direction of its start in quarter turns from up.
    Corner(u32),
}

const PERIMETER: [Stretch; 8] = [
    Stretch::Straight(0, HALF_LONG),
    Stretch::Corner(0),
    Stretch::Straight(1, HALF_SHORT),
    Stretch::Corner(1),
    Stretch::Straight(2, HALF_LONG),
    Stretch::Corner(2),
    Stretch::Straight(3, HALF_SHORT),
    Stretch::Corner(3),
];

impl Stretch {
    /// Its length at the distance `out` from the innermost row.
    fn length(self, out: f64) -> f64 {
        match self {
            Self::Straight(_, half) => 2.0 * half,
            Self::Corner(_) => FRAC_PI_2 * (CORNER_RADIUS + out),
        }
    }

    /// The position `along` it clockwise, at the distance `out` from the innermost row.
    fn at(self, along: f64, out: f64) -> Metres {
        let radius = CORNER_RADIUS + out;
        // The centre of the circle of a corner.
        let centre = |quarter: u32| match quarter % 4 {
            0 => (HALF_LONG, -HALF_SHORT),
            1 => (HALF_LONG, HALF_SHORT),
            2 => (-HALF_LONG, HALF_SHORT),
            _ => (-HALF_LONG, -HALF_SHORT),
        };
        match self {
            Self::Straight(quarter, half) => match quarter % 4 {
                0 => (along - half, -HALF_SHORT - radius),
                1 => (HALF_LONG + radius, along - half),
                2 => (half - along, HALF_SHORT + radius),
                _ => (-HALF_LONG - radius, half - along),
            },
            Self::Corner(quarter) => {
                let (x, y) = centre(quarter);
                let angle = along / radius + FRAC_PI_2 * f64::from(quarter);
                (x + radius * angle.sin(), y - radius * angle.cos())
            }
        }
    }

    fn is_long_side(self) -> bool {
        matches!(self, Self::Straight(0 | 2, _))
    }
}

/// A block: part number `part` of `parts` of a stretch of a tier.
struct Block<'a> {
    tier: &'a Tier,
    stretch: Stretch,
    part: u32,
    parts: u32,
}

impl Block<'_> {
    fn category(&self) -> &'static str {
        match (self.tier.hundreds, self.stretch) {
            (200, _) => "Club",
            (100, stretch) if stretch.is_long_side() => "Category 1",
            (100, Stretch::Corner(_)) => "Category 2",
            (100, _) => "Home end",
            (_, stretch) if stretch.is_long_side() => "Category 3",
            _ => "Category 4",
        }
    }

    /// Positions `spacing` apart between the aisles on both sides, at the distance `out` from the innermost row.
    fn across(&self, out: f64, spacing: f64) -> impl Iterator<Item = Metres> {
        let width = self.stretch.length(out) / f64::from(self.parts);
        let middle = width * (f64::from(self.part) + 0.5);
        let stretch = self.stretch;
        centred(width - AISLE_WIDTH, spacing).map(move |along| stretch.at(middle + along, out))
    }

    fn rows(&self) -> Vec<RowPart> {
        let category = self.category();
        let row = |number: u32| {
            let out = self.tier.offset + ROW_SPACING * f64::from(number);
            let seats = self.across(out, SEAT_SPACING).map(|at| SeatDraft::new(at, category)).collect();
            RowPart { row: (number + 1).to_string(), seats }
        };
        let mut rows: Vec<RowPart> = (0..self.row_count()).map(row).collect();
        if self.tier.hundreds == 100 {
            rows.push(self.platform(category));
        }
        rows
    }

    /// The straight blocks of the upper tier have one row less, for cameras and screens.
    fn row_count(&self) -> u32 {
        self.tier.rows - u32::from(self.tier.hundreds == 300 && !self.is_corner())
    }

    fn is_corner(&self) -> bool {
        matches!(self.stretch, Stretch::Corner(_))
    }

    /// The platform behind the lower tier, level with its entrances.
    fn platform(&self, category: &'static str) -> RowPart {
        let places: Vec<Metres> = self.across(self.depth() + 0.6, WHEELCHAIR_SPACING).collect();
        let skipped = places.len().saturating_sub(PLATFORM_PLACES_PER_BLOCK_MAX) / 2;
        let alternating = [SeatFlag::Accessible, SeatFlag::Companion].into_iter().cycle();
        let chosen = places.into_iter().skip(skipped).take(PLATFORM_PLACES_PER_BLOCK_MAX).zip(alternating);
        let seats = chosen.map(|(at, flag)| SeatDraft::new(at, category).with_flag(flag)).collect();
        RowPart { row: "P".to_owned(), seats }
    }

    /// The distance of the row behind its last row from the innermost row.
    fn depth(&self) -> f64 {
        self.tier.offset + ROW_SPACING * f64::from(self.tier.rows)
    }

    /// Its border, half an aisle away from the next block.
    fn outline(&self) -> Vec<Metres> {
        let platform = if self.tier.hundreds == 100 { 1.2 } else { 0.0 };
        let (inner, outer) = (self.tier.offset - ROW_SPACING / 2.0, self.depth() - ROW_SPACING / 2.0 + platform);
        let steps = if self.is_corner() { 6 } else { 1 };
        let edge = |out: f64, step: u32| {
            let width = self.stretch.length(out) / f64::from(self.parts);
            let inset = AISLE_WIDTH / 4.0;
            let along = inset + (width - 2.0 * inset) * f64::from(step) / f64::from(steps);
            self.stretch.at(width * f64::from(self.part) + along, out)
        };
        let back = (0..=steps).rev().map(|step| edge(outer, step));
        (0..=steps).map(|step| edge(inner, step)).chain(back).collect()
    }
}

/// 60,000 seats in blocks `101`… (lower tier), `201`… (club), `301`… (upper tier), clockwise; categories `Category 1` to `Category 4`, `Club`,
/// `Home end`. Wheelchair places with companions on a platform behind each block of the lower tier.
#[must_use]
pub fn stadium(mut new_id: impl FnMut() -> AreaId) -> Vec<AreaDraft> {
    let mut blocks = Vec::new();
    for tier in &TIERS {
        let mut number = tier.hundreds;
        for stretch in PERIMETER {
            let parts = match stretch {
                Stretch::Straight(..) if stretch.is_long_side() => 4,
                Stretch::Straight(..) => 2,
                Stretch::Corner(_) => tier.corner_blocks,
            };
            for part in 0..parts {
                number += 1;
                let block = Block { tier, stretch, part, parts };
                let rows = block.rows();
                blocks.push((format!("Block {number}"), block, rows));
            }
        }
    }
    remove_surplus_evenly(&mut blocks);
    blocks.into_iter().map(|(name, block, rows)| seated_area(new_id(), &name, rows, FOCUS, &block.outline())).collect()
}

/// Removes the surplus from the last rows of the upper corners, the same number from each.
fn remove_surplus_evenly(blocks: &mut [(String, Block<'_>, Vec<RowPart>)]) {
    let mut surplus = blocks.iter().map(|(_, _, rows)| seat_count(rows)).sum::<usize>().saturating_sub(SEAT_COUNT);
    let upper_corner = |block: &Block<'_>| block.tier.hundreds == 300 && block.is_corner();
    let corners = blocks.iter().filter(|(_, block, _)| upper_corner(block)).count();
    let upper_corners = blocks.iter_mut().filter(|(_, block, _)| upper_corner(block));
    for (left, (_, _, rows)) in (1..=corners).rev().zip(upper_corners) {
        let share = surplus / left;
        remove_surplus(rows, share);
        surplus -= share;
    }
}
