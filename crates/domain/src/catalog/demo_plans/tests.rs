//! Tests the documented sizes of the plans, and that their positions can be drawn.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::catalog::layout::{AreaDraft, Layout, Point, SeatFlag};
use crate::ids::AreaId;
use crate::ticketing::best_available::{Closeness, FreeIf, Party, SeatingPlans};

fn built(plan: fn(&mut dyn FnMut() -> AreaId) -> Vec<AreaDraft>) -> Layout {
    let mut next = 0;
    let mut new_id = || {
        next += 1;
        AreaId::from_uuid(Uuid::from_u128(next))
    };
    Layout::build(plan(&mut new_id)).unwrap()
}

fn flagged(layout: &Layout, flag: SeatFlag) -> usize {
    let seats = layout.areas.iter().flat_map(|area| area.rows()).flat_map(|row| &row.seats);
    seats.filter(|seat| seat.flags.contains(&flag)).count()
}

#[test]
fn plans_have_their_documented_size() {
    let hall = built(|ids| concert_hall(ids));
    let field = built(|ids| festival(ids));
    let oval = built(|ids| stadium(ids));
    let row = |layout: &Layout| {
        let special = [SeatFlag::Accessible, SeatFlag::Companion, SeatFlag::RestrictedView];
        (layout.place_count(), layout.areas.len(), special.map(|flag| flagged(layout, flag)))
    };
    assert_eq!(row(&hall), (1_900, 4, [8, 8, 86]));
    assert_eq!(row(&field), (25_000, 6, [0, 0, 0]));
    assert_eq!(row(&oval), (60_000, 72, [160, 160, 0]));
    assert_eq!(hall.categories(), ["Restricted view", "Category 1", "Premium", "Category 2", "Category 3"]);
    assert_eq!(oval.categories(), ["Category 1", "Category 2", "Home end", "Club", "Category 3", "Category 4"]);
    assert_eq!(hall.label(crate::ticketing::place_number::PlaceNumber(0)).as_deref(), Some("Stalls · Row A · Seat 1"));
}

#[test]
fn seats_do_not_overlap_and_are_within_their_outline() {
    for layout in [built(|ids| concert_hall(ids)), built(|ids| stadium(ids))] {
        let mut cells = BTreeSet::new();
        for area in &layout.areas {
            for row in area.rows() {
                for seat in &row.seats {
                    // Seats are at least 18 units apart, so no two of them are in one cell of 6 by 6.
                    assert!(
                        cells.insert(((seat.x / 6.0) as i64, (seat.y / 6.0) as i64)),
                        "{} {} {}",
                        area.name,
                        row.name,
                        seat.label
                    );
                }
                let gaps = row.seats.windows(2).map(|pair| (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y));
                let (narrowest, widest) =
                    gaps.fold((f32::MAX, 0.0), |(narrowest, widest), gap| (gap.min(narrowest), gap.max(widest)));
                assert!(
                    row.seats.len() < 2 || (narrowest > 18.0 && widest < 46.0 && widest - narrowest < 1.0),
                    "{} {}: {narrowest} {widest}",
                    area.name,
                    row.name
                );
            }
            let outline = &area.outline;
            if !outline.is_empty() {
                let (left, right) = outline.iter().fold((f32::MAX, f32::MIN), |(l, r), at| (l.min(at.x), r.max(at.x)));
                let (top, bottom) = outline.iter().fold((f32::MAX, f32::MIN), |(t, b), at| (t.min(at.y), b.max(at.y)));
                let seats = area.rows().iter().flat_map(|row| &row.seats);
                assert!(
                    seats.clone().all(|seat| (left..=right).contains(&seat.x) && (top..=bottom).contains(&seat.y)),
                    "{}",
                    area.name
                );
            }
        }
    }
}

#[test]
fn best_seats_of_the_hall_are_in_the_middle_of_the_front_row() {
    let hall = built(|ids| concert_hall(ids));
    let plans = SeatingPlans::of(&hall);
    let stalls = hall.area_named("Stalls").unwrap();
    let choice = plans.get(stalls.id).unwrap().choose(&FreeIf(|_| true), &Party::of(2)).unwrap();
    assert_eq!(choice.closeness, Closeness::Together);
    for place in choice.places {
        let found = hall.seat(place).unwrap();
        assert_eq!(found.row.name, "A");
        assert!(found.seat.x.abs() < 30.0, "{}", found.seat.x);
    }
}

#[test]
fn plan_is_the_same_in_every_call() {
    assert_eq!(built(|ids| stadium(ids)), built(|ids| stadium(ids)));
}

/// FNV-1a over everything that a buyer of the plan sees: names, labels, categories, flags, positions, outlines.
fn fingerprint(layout: &Layout) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for area in &layout.areas {
        add(&format!("{} {:?}", area.name, area.focus.map(|Point { x, y }| (x, y))));
        area.outline.iter().for_each(|Point { x, y }| add(&format!("{x} {y}")));
        area.categories().for_each(&mut add);
        for row in area.rows() {
            add(&row.name);
            for seat in &row.seats {
                add(&format!("{} {} {} {} {:?}", seat.label, seat.x, seat.y, seat.category, seat.flags));
            }
        }
    }
    hash
}

/// Benchmarks of different dates are comparable only on equal plans. A plan that is changed on purpose gets its new fingerprint here.
#[test]
fn plans_are_those_of_earlier_benchmarks() {
    let found = [built(|ids| concert_hall(ids)), built(|ids| festival(ids)), built(|ids| stadium(ids))]
        .map(|layout| format!("{:016x}", fingerprint(&layout)));
    assert_eq!(found, ["3a386c700a0d9e07", "0d00059623a29475", "4111c253223df58d"]);
}

#[test]
fn rows_are_at_their_distance_from_the_stage_or_from_the_middle_of_the_pitch() {
    let hall = built(|ids| concert_hall(ids));
    let oval = built(|ids| stadium(ids));
    for (layout, area, row, nearest, furthest) in [
        // Rows of the hall are curved: their middle is further from the front of the stage than their ends.
        (&hall, "Stalls", "A", 1.85, 4.0),
        (&hall, "Stalls", "M", 10.95, 14.45),
        (&hall, "Balcony", "1", 26.6, 32.0),
        // Lower tier: 22 m of straight side, 20.5 m of corner, 0.8 m for each row.
        (&oval, "Block 101", "1", 42.5, 42.5),
        (&oval, "Block 101", "24", 60.9, 60.9),
        (&oval, "Block 101", "P", 62.3, 62.3),
        (&oval, "Block 201", "1", 66.0, 66.0),
        (&oval, "Block 301", "24", 96.4, 96.4),
    ] {
        let area = layout.area_named(area).unwrap();
        let seats = area.rows().iter().filter(|found| found.name == row).flat_map(|row| &row.seats);
        let metres = seats.map(|seat| seat.y.abs() / 40.0);
        let found = metres.fold((f32::MAX, 0.0_f32), |(near, far), y| (near.min(y), far.max(y)));
        let close = (found.0 - nearest).abs() < 0.01 && (found.1 - furthest).abs() < 0.01;
        assert!(close, "{} {row}: {found:?} instead of {:?}", area.name, (nearest, furthest));
    }
}
