//! Tests the choice of seats on small halls drawn as text, and random halls against an exhaustive model.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::catalog::layout::{AreaDraft, Layout, Point, RowDraft, Seat, SeatFlag};
use crate::ids::AreaId;

mod exhaustive_model;
mod special_seats;
mod split_party;

/// A hall drawn row by row: `.` free, `x` taken, `a` accessible, `c` companion, `r` restricted view (`A`, `C`, `R` the same, taken).
/// Seats are one apart; the stage is above the middle of the first row. `|` parts areas.
struct Hall {
    plan: SeatingPlan,
    layout: Layout,
    free: Vec<bool>,
}

impl std::fmt::Debug for Hall {
    /// Prints the drawing, so that a failing case can be copied into a test.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, area) in self.layout.areas.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "\n|" })?;
            for row in area.rows() {
                f.write_str("\n")?;
                for (place, seat) in row.places().zip(&row.seats) {
                    let kind = match seat.flags.first() {
                        Some(SeatFlag::Accessible) => 'a',
                        Some(SeatFlag::Companion) => 'c',
                        Some(SeatFlag::RestrictedView) => 'r',
                        None => '.',
                    };
                    let taken = if kind == '.' { 'x' } else { kind.to_ascii_uppercase() };
                    write!(f, "{}", if self.free[place as usize] { kind } else { taken })?;
                }
            }
        }
        Ok(())
    }
}

fn hall(drawing: &[&str]) -> Hall {
    let mut areas: Vec<Vec<RowDraft>> = vec![vec![]];
    let mut free = Vec::new();
    for (y, line) in drawing.iter().enumerate() {
        if *line == "|" {
            areas.push(vec![]);
            continue;
        }
        let seats = line.chars().enumerate().map(|(x, kind)| {
            free.push(kind != 'x' && !kind.is_uppercase());
            let flags = match kind.to_ascii_lowercase() {
                'a' => vec![SeatFlag::Accessible],
                'c' => vec![SeatFlag::Companion],
                'r' => vec![SeatFlag::RestrictedView],
                _ => vec![],
            };
            Seat { label: (x + 1).to_string(), x: x as f32, y: y as f32, category: "A".into(), flags }
        });
        let row = RowDraft::new(y.to_string(), seats.collect());
        areas.last_mut().unwrap().push(row);
    }
    built(areas, free)
}

fn built(areas: Vec<Vec<RowDraft>>, free: Vec<bool>) -> Hall {
    let drafts = areas
        .into_iter()
        .enumerate()
        .map(|(n, rows)| AreaDraft::seated(AreaId::from_uuid(Uuid::from_u128(n as u128)), format!("Area {n}"), rows));
    let layout = Layout::build(drafts.collect()).unwrap();
    let plan = SeatingPlan::new(&layout.areas.iter().collect::<Vec<_>>(), layout.focus());
    Hall { plan, layout, free }
}

impl Hall {
    fn choose(&self, party: &Party) -> Option<SeatChoice> {
        self.plan.choose(&FreeIf(|place: PlaceNumber| self.free.get(place.index()) == Some(&true)), party)
    }

    /// The chosen places as numbers.
    fn chosen(&self, party: &Party) -> Option<(Vec<u32>, Closeness)> {
        self.choose(party).map(|choice| (choice.places.iter().map(|place| place.0).collect(), choice.closeness))
    }
}

#[test]
fn party_gets_the_best_free_seats() {
    use Closeness::{Apart, Neighbouring, Together};
    type Row<'a> = (&'a str, &'a [&'a str], u32, Option<(&'a [u32], Closeness)>);
    let rows: &[Row<'_>] = &[
        ("the middle of the front", &["......", "......"], 2, Some((&[2, 3], Together))),
        ("a single where no seat is left alone", &["..x..", "....."], 1, Some((&[7], Together))),
        ("a lone seat is used up first of equals", &["x.x", "..."], 1, Some((&[1], Together))),
        ("an orphan on either side: the nearer", &["....x"], 3, Some((&[1, 2, 3], Together))),
        ("no orphan: another row rather than one left alone", &["xx...xx", "......."], 2, Some((&[9, 10], Together))),
        ("an orphan where it cannot be avoided", &["x...x"], 2, Some((&[1, 2], Together))),
        ("no orphan: the edge rather than the middle", &["....."], 3, Some((&[0, 1, 2], Together))),
        ("restricted view comes last", &["rr", "..", ".."], 2, Some((&[2, 3], Together))),
        ("restricted view where nothing else is", &["rr", "xx"], 2, Some((&[0, 1], Together))),
        ("special seats are left free", &["a..c", "...."], 2, Some((&[1, 2], Together))),
        ("special seats split a row", &[".a.", "..."], 2, Some((&[3, 4], Together))),
        ("special seats are not given even if nothing else is", &["acac"], 2, None),
        ("two pieces of one row", &["..x..", "x.x.x"], 4, Some((&[0, 1, 3, 4], Neighbouring))),
        ("over two rows", &["..xxx", "xxx.."], 4, Some((&[0, 1, 8, 9], Neighbouring))),
        (
            "one of three moves over, so that no person sits alone",
            &["...xx", "xxx.."],
            4,
            Some((&[1, 2, 8, 9], Neighbouring)),
        ),
        ("a person alone where it cannot be avoided", &["...xx", "xxx.x"], 4, Some((&[0, 1, 2, 8], Neighbouring))),
        ("over three rows", &["..", "xx", ".."], 4, Some((&[0, 1, 4, 5], Neighbouring))),
        ("four rows are apart", &["..", "xx", "xx", ".."], 4, Some((&[0, 1, 6, 7], Apart))),
        ("rows of two areas are apart", &["..", "|", ".."], 4, Some((&[0, 1, 2, 3], Apart))),
        ("the last free seats", &[".x.x", "x.x."], 4, Some((&[0, 2, 5, 7], Neighbouring))),
        ("not enough", &[".x.x", "x.xx"], 4, None),
        ("an empty party", &["...."], 0, None),
        ("a whole row", &["x...", "...."], 4, Some((&[4, 5, 6, 7], Together))),
        ("sold out", &["xxxx"], 1, None),
    ];
    for (name, drawing, quantity, expected) in rows {
        let got = hall(drawing).chosen(&Party::of(*quantity));
        let got = got.as_ref().map(|(places, closeness)| (places.as_slice(), *closeness));
        assert_eq!(got, *expected, "{name}");
    }
}

#[test]
fn area_focus_replaces_the_layout_focus() {
    let row = |n: usize| {
        let seats = (0..9)
            .map(|x| Seat { label: x.to_string(), x: x as f32, y: n as f32, category: "A".into(), flags: vec![] })
            .collect();
        RowDraft::new(n.to_string(), seats)
    };
    let mut draft = AreaDraft::seated(AreaId::from_uuid(Uuid::from_u128(1)), "Side", (0..3).map(row).collect());
    draft.focus = Some(Point { x: 8.0, y: 2.0 });
    let layout = Layout::build(vec![draft]).unwrap();
    let plans = SeatingPlans::of(&layout);
    let plan = plans.get(layout.areas[0].id).unwrap();
    let choice = plan.choose(&FreeIf(|_| true), &Party::of(2)).unwrap();
    assert_eq!(choice.places, [PlaceNumber(25), PlaceNumber(26)]);
    assert_eq!(plan.seat_count(), 27);
}

#[test]
fn general_admission_area_has_no_seating_plan() {
    let id = |n| AreaId::from_uuid(Uuid::from_u128(n));
    let layout = Layout::build(vec![AreaDraft::general(id(1), "Field", 10, "GA")]).unwrap();
    assert!(SeatingPlans::of(&layout).get(id(1)).is_none());
    let plan = SeatingPlan::new(&layout.areas.iter().collect::<Vec<_>>(), layout.focus());
    assert_eq!(plan.choose(&FreeIf(|_| true), &Party::of(1)), None);
}

/// A theatre row that its ticket office lists as 1, 2, 3, … while the seats are placed 19 … 3 1 2 4 … 20.
#[test]
fn odd_and_even_numbered_seats_are_neighbours_by_position() {
    let x = |number: u32| if number % 2 == 1 { 10 - i64::from(number / 2) } else { 10 + i64::from(number / 2) };
    let row = |numbers: &mut dyn Iterator<Item = u32>, y: f32| {
        let seat = |n: u32| Seat { label: n.to_string(), x: x(n) as f32, y, category: "A".into(), flags: vec![] };
        RowDraft::new("A", numbers.map(seat).collect())
    };
    let placed: Vec<u32> = vec![19, 17, 15, 13, 11, 9, 7, 5, 3, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20];
    // As one row, and split where the listed order jumps, as older imports did.
    for rows in [vec![row(&mut (1..=20), 0.0)], vec![row(&mut (1..=18), 0.0), row(&mut (19..=20), 0.0)]] {
        for quantity in 2..=6_usize {
            let mut hall = built(vec![rows.clone()], vec![true; 20]);
            for _ in 0..20 / quantity {
                let (places, closeness) = hall.chosen(&Party::of(quantity as u32)).unwrap();
                let mut at: Vec<usize> =
                    places.iter().map(|place| placed.iter().position(|n| *n == place + 1).unwrap()).collect();
                at.sort_unstable();
                if closeness == Closeness::Together {
                    assert!(at.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{quantity}: {places:?}");
                }
                places.iter().for_each(|place| hall.free[*place as usize] = false);
            }
            assert!(hall.free.iter().filter(|free| **free).count() < quantity);
        }
    }
    // Two ordered rows left and right of an aisle stay two rows.
    let aisle = vec![row(&mut [5, 3, 1].into_iter(), 0.0), row(&mut [2, 4, 6].into_iter(), 0.0)];
    let hall = built(vec![aisle], vec![false, false, true, true, false, false]);
    assert_eq!(hall.chosen(&Party::of(2)).unwrap().1, Closeness::Neighbouring);
}
