//! Tests every limit of a layout at both edges, every refusal with its path, and the numbering against a linear walk.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::refusal::{Code, Refusal};

pub(crate) fn area_id(n: u128) -> AreaId {
    AreaId::from_uuid(Uuid::from_u128(n + 1))
}

fn seat(label: impl Into<String>) -> Seat {
    Seat { label: label.into(), x: 1.0, y: 2.0, category: "A".into(), flags: vec![] }
}

fn row(name: &str, seats: usize) -> RowDraft {
    RowDraft::new(name, (1..=seats).map(|n| seat(n.to_string())).collect())
}

fn seated(n: u128, name: &str, rows: Vec<RowDraft>) -> AreaDraft {
    AreaDraft::seated(area_id(n), name, rows)
}

fn general(n: u128, name: &str, capacity: u32) -> AreaDraft {
    AreaDraft::general(area_id(n), name, capacity, "GA")
}

/// One seat, changed by `change`.
fn one(change: impl FnOnce(&mut Seat)) -> Vec<AreaDraft> {
    let mut draft = row("A", 1);
    change(&mut draft.seats[0]);
    vec![seated(0, "Stalls", vec![draft])]
}

fn hall() -> Layout {
    Layout::build(vec![
        seated(0, "Stalls", vec![row("A", 3), row("B", 2)]),
        general(1, "Standing", 4),
        seated(2, "Balcony", vec![row("C", 12)]),
    ])
    .unwrap()
}

#[test]
fn places_are_numbered_in_order_and_found_again() {
    let layout = hall();
    assert_eq!(layout.place_count(), 21);
    let rows: &[(u32, Option<(&str, &str)>)] = &[
        (0, Some(("Stalls · Row A · Seat 1", "A"))),
        (2, Some(("Stalls · Row A · Seat 3", "A"))),
        (3, Some(("Stalls · Row B · Seat 1", "A"))),
        (4, Some(("Stalls · Row B · Seat 2", "A"))),
        (5, Some(("Standing", "GA"))),
        (8, Some(("Standing", "GA"))),
        (9, Some(("Balcony · Row C · Seat 1", "A"))),
        (20, Some(("Balcony · Row C · Seat 12", "A"))),
        (21, None),
        (u32::MAX, None),
    ];
    for (number, expected) in rows {
        let place = PlaceNumber(*number);
        assert_eq!(layout.label(place).as_deref(), expected.map(|(label, _)| label), "{number}");
        assert_eq!(layout.category(place), expected.map(|(_, category)| category), "{number}");
    }
    assert!(layout.seat(PlaceNumber(5)).is_none(), "a general-admission place has no seat");
    assert_eq!(layout.area(area_id(1)).map(Area::places), Some(5..9));
    assert_eq!(layout.area_named(" balcony ").map(|area| area.id), Some(area_id(2)));
    assert!(layout.area(area_id(9)).is_none());
    assert_eq!(layout.categories(), ["A", "GA"]);
}

#[test]
fn empty_layout_has_no_places() {
    let layout = Layout { areas: vec![], flags_version: 0 };
    assert_eq!(layout.place_count(), 0);
    assert!(layout.area_of(PlaceNumber(0)).is_none());
    assert_eq!(layout.focus(), Point { x: 0.0, y: 0.0 });
}

#[test]
fn focus_is_the_middle_of_the_front_row() {
    let mut left = row("A", 2);
    (left.seats[0].x, left.seats[0].y) = (-4.0, 3.0);
    (left.seats[1].x, left.seats[1].y) = (10.0, 7.0);
    let layout = Layout::build(vec![seated(0, "Stalls", vec![left]), general(1, "Floor", 3)]).unwrap();
    assert_eq!(layout.focus(), Point { x: 3.0, y: 3.0 });
}

#[test]
fn refused_draft_names_the_path_of_the_wrong_value() {
    let long = |n: usize| "x".repeat(n);
    let rows: Vec<(Vec<AreaDraft>, &str, &str)> = vec![
        (vec![], "areas", "Must not be empty."),
        (vec![seated(0, "S", vec![])], "areas[0].rows", "Must not be empty."),
        (vec![seated(0, "S", vec![row("A", 0)])], "areas[0].rows[0].seats", "Must not be empty."),
        (vec![general(0, "Floor", 0)], "areas[0].capacity", "Must be at least 1."),
        (vec![general(0, " ", 1)], "areas[0].name", "Must not be empty."),
        (vec![general(0, &long(81), 1)], "areas[0].name", "Must have at most 80 characters."),
        (vec![general(0, "A", 1), general(0, "B", 1)], "areas[1].id", "Another area has this id."),
        (vec![general(0, "Floor", 1), general(1, "FLOOR ", 1)], "areas[1].name", "Another area is called `FLOOR`."),
        (vec![seated(0, "S", vec![row("", 1)])], "areas[0].rows[0].name", "Must not be empty."),
        (vec![seated(0, "S", vec![row(&long(41), 1)])], "areas[0].rows[0].name", "Must have at most 40 characters."),
        (one(|seat| seat.label = "\t".into()), "areas[0].rows[0].seats[0].label", "Must not be empty."),
        (
            one(|seat| seat.label = "x".repeat(21)),
            "areas[0].rows[0].seats[0].label",
            "Must have at most 20 characters.",
        ),
        (one(|seat| seat.category = String::new()), "areas[0].rows[0].seats[0].category", "Must not be empty."),
        (
            one(|seat| seat.x = f32::NAN),
            "areas[0].rows[0].seats[0].x",
            "Must be a number between -1000000 and 1000000.",
        ),
        (
            one(|seat| seat.y = -1_000_001.0),
            "areas[0].rows[0].seats[0].y",
            "Must be a number between -1000000 and 1000000.",
        ),
        (
            one(|seat| seat.flags = vec![SeatFlag::Companion, SeatFlag::Accessible]),
            "areas[0].rows[0].seats[0].flags",
            "A seat is accessible or companion, not both.",
        ),
        (
            vec![seated(0, "S", vec![row("A", 2), RowDraft::new("A", vec![seat("9"), seat(" 2 ")])])],
            "areas[0].rows[1].seats[1].label",
            "Row `A` has another seat `2`.",
        ),
        (
            vec![AreaDraft { focus: Some(Point { x: f32::INFINITY, y: 0.0 }), ..general(0, "F", 1) }],
            "areas[0].focus.x",
            "Must be a number between -1000000 and 1000000.",
        ),
        (
            vec![AreaDraft { outline: vec![Point { x: 0.0, y: 2e6 }], ..general(0, "F", 1) }],
            "areas[0].outline[0].y",
            "Must be a number between -1000000 and 1000000.",
        ),
    ];
    for (drafts, field, detail) in rows {
        let refusal = Layout::build(drafts).unwrap_err();
        assert_eq!((refusal.code, refusal.evidence.field.as_deref()), (Code::InvalidRequest, Some(field)));
        assert_eq!(refusal.detail, detail, "{field}");
    }
}

#[test]
fn every_limit_accepts_its_edge_and_refuses_one_more() {
    fn field(result: Result<Layout, Refusal>) -> Option<String> {
        result.err().and_then(|refusal| refusal.evidence.field)
    }
    let many_areas = |n: usize| (0..n).map(|i| general(i as u128, &format!("Area {i}"), 1)).collect::<Vec<_>>();
    let many_rows = |n: usize| vec![seated(0, "S", (0..n).map(|i| row(&i.to_string(), 1)).collect())];
    let many_categories =
        |n: usize| (0..n).map(|i| AreaDraft::general(area_id(i as u128), format!("A{i}"), 1, i.to_string())).collect();
    let many_corners =
        |n: usize| vec![AreaDraft { outline: vec![Point { x: 0.0, y: 0.0 }; n], ..general(0, "Floor", 1) }];
    let rows: Vec<(&str, Result<Layout, Refusal>, Option<&str>)> = vec![
        ("places", Layout::build(vec![general(0, "F", PLACES_MAX)]), None),
        ("places + 1", Layout::build(vec![general(0, "F", PLACES_MAX), general(1, "G", 1)]), Some("areas")),
        ("overflow", Layout::build(vec![general(0, "F", u32::MAX), general(1, "G", u32::MAX)]), Some("areas")),
        ("areas", Layout::build(many_areas(AREAS_MAX)), None),
        ("areas + 1", Layout::build(many_areas(AREAS_MAX + 1)), Some("areas")),
        ("rows", Layout::build(many_rows(ROWS_PER_AREA_MAX)), None),
        ("rows + 1", Layout::build(many_rows(ROWS_PER_AREA_MAX + 1)), Some("areas[0].rows")),
        ("seats", Layout::build(vec![seated(0, "S", vec![row("A", SEATS_PER_ROW_MAX)])]), None),
        (
            "seats + 1",
            Layout::build(vec![seated(0, "S", vec![row("A", SEATS_PER_ROW_MAX + 1)])]),
            Some("areas[0].rows[0].seats"),
        ),
        ("categories", Layout::build(many_categories(CATEGORIES_MAX)), None),
        ("categories + 1", Layout::build(many_categories(CATEGORIES_MAX + 1)), Some("areas[64].category")),
        ("corners", Layout::build(many_corners(OUTLINE_POINTS_MAX)), None),
        ("corners + 1", Layout::build(many_corners(OUTLINE_POINTS_MAX + 1)), Some("areas[0].outline")),
        ("area name", Layout::build(vec![general(0, &"x".repeat(AREA_NAME_CHARS_MAX), 1)]), None),
        ("row name", Layout::build(vec![seated(0, "S", vec![row(&"x".repeat(ROW_NAME_CHARS_MAX), 1)])]), None),
        ("label", Layout::build(one(|seat| seat.label = "x".repeat(SEAT_LABEL_CHARS_MAX))), None),
        ("category", Layout::build(one(|seat| seat.category = "x".repeat(CATEGORY_CHARS_MAX))), None),
        (
            "category + 1",
            Layout::build(one(|seat| seat.category = "x".repeat(CATEGORY_CHARS_MAX + 1))),
            Some("areas[0].rows[0].seats[0].category"),
        ),
        ("coordinate", Layout::build(one(|seat| seat.x = -COORDINATE_MAX)), None),
    ];
    for (name, result, expected) in rows {
        assert_eq!(field(result).as_deref(), expected, "{name}");
    }
}

#[test]
fn flags_are_sorted_and_unique() {
    let layout = Layout::build(one(|seat| {
        seat.flags = vec![SeatFlag::RestrictedView, SeatFlag::Accessible, SeatFlag::RestrictedView];
    }))
    .unwrap();
    let flags = &layout.seat(PlaceNumber(0)).unwrap().seat.flags;
    assert_eq!(flags, &[SeatFlag::Accessible, SeatFlag::RestrictedView]);
    for flag in SeatFlag::ALL {
        assert_eq!(SeatFlag::parse(&flag.as_str().to_uppercase()), Some(*flag));
        assert_eq!(serde_json::to_value(flag).unwrap(), flag.as_str());
    }
}

#[test]
fn layout_round_trips_through_json() {
    let layout = hall();
    let text = serde_json::to_string(&layout).unwrap();
    assert_eq!(serde_json::from_str::<Layout>(&text).unwrap(), layout);
}

fn drafts() -> impl Strategy<Value = Vec<AreaDraft>> {
    let area =
        prop_oneof![prop::collection::vec(1_usize..8, 1..6).prop_map(Ok), (1_u32..40).prop_map(Err::<Vec<usize>, u32>)];
    prop::collection::vec(area, 1..8).prop_map(|areas| {
        let named = areas.into_iter().enumerate().map(|(at, area)| {
            let name = format!("Area {at}");
            match area {
                Ok(rows) => {
                    let rows = rows.iter().enumerate().map(|(at, seats)| row(&at.to_string(), *seats)).collect();
                    seated(at as u128, &name, rows)
                }
                Err(capacity) => general(at as u128, &name, capacity),
            }
        });
        named.collect()
    })
}

proptest! {
    /// Every lookup agrees with a linear walk over the drafts.
    #[test]
    fn lookups_agree_with_a_linear_walk(drafts in drafts()) {
        let mut walk = Vec::new();
        for draft in &drafts {
            match &draft.kind {
                AreaDraftKind::GeneralAdmission { capacity, .. } => {
                    walk.extend((0..*capacity).map(|_| (draft.id, draft.name.clone())));
                }
                AreaDraftKind::Seated { rows } => for row in rows {
                    walk.extend(row.seats.iter().map(|seat| {
                        (draft.id, format!("{} · Row {} · Seat {}", draft.name, row.name, seat.label))
                    }));
                },
            }
        }
        let layout = Layout::build(drafts).unwrap();
        prop_assert_eq!(layout.place_count() as usize, walk.len());
        for (number, (id, label)) in walk.into_iter().enumerate() {
            let place = PlaceNumber(u32::try_from(number).unwrap());
            let area = layout.area_of(place).unwrap();
            prop_assert_eq!(area.id, id);
            prop_assert!(area.places().contains(&place.0));
            prop_assert_eq!(layout.label(place).unwrap(), label);
            if let Some(found) = layout.seat(place) {
                prop_assert_eq!(&area.rows()[found.row_index].seats[found.seat_index], found.seat);
            }
        }
        prop_assert!(layout.area_of(PlaceNumber(layout.place_count())).is_none());
    }
}
