//! Tests pretix plans with repeated labels, repeated zone names, ticket labels, seat flags and standing areas.

use super::*;
use crate::ticketing::place_number::PlaceNumber;

fn plan(zones: &str) -> String {
    format!(r#"{{"categories": [{{"name": "Gold"}}], "zones": [{zones}]}}"#)
}

fn seat(number: &str, guid: &str, x: f32, more: &str) -> String {
    format!(
        r#"{{"seat_number": "{number}", "seat_guid": "{guid}", "category": "Gold", "position": {{"x": {x}, "y": 0}}{more}}}"#
    )
}

fn row(words: &str, y: f32, seats: &[String]) -> String {
    format!(r#"{{{words}, "position": {{"x": 0, "y": {y}}}, "seats": [{}]}}"#, seats.join(","))
}

fn labels(content: &str) -> Vec<String> {
    let layout = Layout::build(imported(ImportFormat::Pretix, content.as_bytes()).unwrap()).unwrap();
    (0..layout.place_count()).map(|place| layout.label(PlaceNumber(place)).unwrap()).collect()
}

#[test]
fn blocks_of_one_zone_with_equal_labels_are_separated_by_position() {
    // Two blocks side by side, listed row by row across both.
    let block = |name: &str, left: f32, y: f32| {
        let seats: Vec<String> =
            (1..=3).map(|n| seat(&n.to_string(), &format!("{name}{y}-{n}"), left + n as f32, "")).collect();
        row(&format!(r#""row_number": "{}""#, y as u32 + 1), y, &seats)
    };
    let rows: Vec<String> = (0..3).flat_map(|y| [block("l", 0.0, y as f32), block("r", 50.0, y as f32)]).collect();
    let content = plan(&format!(r#"{{"name": "Hall", "rows": [{}]}}"#, rows.join(",")));
    let drafts = imported(ImportFormat::Pretix, content.as_bytes()).unwrap();
    for row in super::rows(&drafts[0]) {
        let second = row.seats[0].x > 40.0;
        assert_eq!(row.name.ends_with(" (block 2)"), second, "{}", row.name);
    }
    let labels = labels(&content);
    assert_eq!(labels.iter().collect::<std::collections::BTreeSet<_>>().len(), 18);
    assert!(labels.contains(&"Hall · Row 3 (block 2) · Seat 2".to_owned()), "{labels:?}");
    let reported = findings(ImportFormat::Pretix, content.as_bytes());
    assert!(reported[0].starts_with("changed zones[0].rows[1]: rows and seats of this zone"), "{reported:?}");
    assert_eq!(reported[1], "assumed zones[0]: the zone was separated into 2 blocks by the positions of their rows");
}

#[test]
fn repeated_label_in_a_row_is_numbered_when_the_seats_differ() {
    let content = |guids: [&str; 2], xs: [f32; 2]| {
        let seats = [seat("1", guids[0], xs[0], ""), seat("1", guids[1], xs[1], "")];
        plan(&format!(r#"{{"name": "Hall", "rows": [{}]}}"#, row(r#""row_number": "A""#, 0.0, &seats)))
    };
    assert_eq!(labels(&content(["a", "b"], [0.0, 1.0])), ["Hall · Row A · Seat 1", "Hall · Row A · Seat 1 (2)"]);
    assert_eq!(labels(&content(["", ""], [0.0, 1.0])).len(), 2);
    assert_eq!(
        findings(ImportFormat::Pretix, content(["", ""], [0.0, 0.0]).as_bytes()),
        ["wrong zones[0].rows[0].seats[1].seat_number: row `A` of this zone has another seat `1`"]
    );
}

#[test]
fn zones_with_equal_or_missing_names_become_separate_areas() {
    let zone = |name: &str, guid: &str| {
        format!(r#"{{{name}"rows": [{}]}}"#, row(r#""row_number": "1""#, 0.0, &[seat("1", guid, 0.0, "")]))
    };
    let zones = [
        zone(r#""name": "Floor","#, "a"),
        zone(r#""name": "FLOOR ","#, "b"),
        zone(r#""name": "Floor (2)","#, "c"),
        zone("", "d"),
        zone(r#""name": null,"#, "e"),
    ];
    let content = plan(&zones.join(","));
    let drafts = imported(ImportFormat::Pretix, content.as_bytes()).unwrap();
    let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    assert_eq!(names, ["Floor", "FLOOR (2)", "Floor (2) (2)", "Zone 4", "Zone 5"]);
    assert!(Layout::build(drafts).is_ok());
    let reported = findings(ImportFormat::Pretix, content.as_bytes());
    assert_eq!(reported[0], "changed zones[1].name: another area is called `FLOOR`: this one is called `FLOOR (2)`");
}

#[test]
fn seats_without_a_category_get_the_default_with_one_merged_finding() {
    let seats = ["", "", "Gold"].iter().enumerate().map(|(n, category)| {
        format!(r#"{{"seat_number": "{n}", "category": "{category}", "position": {{"x": {n}, "y": 0}}}}"#)
    });
    let row = row(r#""row_number": "1""#, 0.0, &seats.collect::<Vec<_>>());
    let content = plan(&format!(r#"{{"name": "Main", "rows": [{row}]}}"#));
    let drafts = imported(ImportFormat::Pretix, content.as_bytes()).unwrap();
    assert_eq!(Layout::build(drafts).unwrap().categories(), [DEFAULT_CATEGORY, "Gold"]);
    assert_eq!(
        findings(ImportFormat::Pretix, content.as_bytes()),
        [
            "assumed zones[0].rows[0].seats[0].category: no category is given: `Standard` is assumed (and 1 more like this)"
        ]
    );
}

#[test]
fn tickets_have_the_labels_of_the_plan() {
    let tables = [("3", "Tisch %s", "Platz %s"), ("4", "Stammtisch", "Stuhl"), ("5", "", "")];
    let rows = tables.iter().enumerate().map(|(n, (number, row_label, seat_label))| {
        let words = format!(r#""row_number": "{number}", "row_label": "{row_label}", "seat_label": "{seat_label}""#);
        row(&words, n as f32, &[seat("1", number, 0.0, "")])
    });
    let content = plan(&format!(r#"{{"name": "Zelt", "rows": [{}]}}"#, rows.collect::<Vec<_>>().join(",")));
    assert_eq!(labels(&content), ["Zelt · Tisch 3, Platz 1", "Zelt · Stammtisch, Stuhl 1", "Zelt · Row 5 · Seat 1"]);
}

#[test]
fn flags_are_read_from_fields_assumed_from_names_or_reported_as_unread() {
    let marks = [
        (r#", "wheelchair": true"#, vec![SeatFlag::Accessible], ""),
        (r#", "is_accessible": "yes""#, vec![SeatFlag::Accessible], ""),
        (r#", "wheelchair": false, "radius": 3"#, vec![], ""),
        (r#", "flags": ["restricted-view", "Wheelchair"]"#, vec![SeatFlag::Accessible, SeatFlag::RestrictedView], ""),
        (r#", "seat_type": "companion""#, vec![SeatFlag::Companion], ""),
        (r#", "wheelchair": "No""#, vec![], ""),
        (
            r#", "seat_type": "not accessible""#,
            vec![],
            "assumed zones[0].rows[0].seats[0]: not marked accessible, since `not accessible` denies it",
        ),
        (r#", "icon": "sofa""#, vec![], "left_out zones[0].rows[0].seats[0]: field `icon` of a seat is not read"),
        (
            r#", "tags": ["vip"]"#,
            vec![],
            "left_out zones[0].rows[0].seats[0]: `vip` in field `tags` of a seat is not read",
        ),
    ];
    for (mark, flags, reported) in marks {
        let seats = [seat("1", "a", 0.0, mark), seat("2", "b", 1.0, "")];
        let content = plan(&format!(r#"{{"name": "Main", "rows": [{}]}}"#, row(r#""row_number": "1""#, 0.0, &seats)));
        let layout = Layout::build(imported(ImportFormat::Pretix, content.as_bytes()).unwrap()).unwrap();
        assert_eq!(layout.seat(PlaceNumber(0)).unwrap().seat.flags, flags, "{mark}");
        assert!(layout.seat(PlaceNumber(1)).unwrap().seat.flags.is_empty());
        assert_eq!(findings(ImportFormat::Pretix, content.as_bytes()).join(""), reported, "{mark}");
    }
    let named = plan(&format!(
        r#"{{"name": "Main", "rows": [{}]}}"#,
        row(r#""row_number": "Rollstuhlplätze""#, 0.0, &[seat("1", "a", 0.0, "")])
    ));
    let reported = findings(ImportFormat::Pretix, named.as_bytes());
    assert_eq!(
        reported,
        ["assumed zones[0].rows[0].seats[0]: marked accessible, because of the name `Rollstuhlplätze`"]
    );
    let whole_row = plan(&format!(
        r#"{{"name": "Main", "rows": [{}]}}"#,
        row(r#""row_number": "1", "wheelchair": true"#, 0.0, &[seat("1", "a", 0.0, "")])
    ));
    let drafts = imported(ImportFormat::Pretix, whole_row.as_bytes()).unwrap();
    assert_eq!(super::rows(&drafts[0])[0].seats[0].flags, [SeatFlag::Accessible]);
}

#[test]
fn drawn_areas_become_standing_areas_or_are_reported() {
    let seats = row(r#""row_number": "1""#, 0.0, &[seat("1", "a", 0.0, "")]);
    let content = plan(&format!(
        r#"{{"name": "Main", "position": {{"x": 10, "y": 20}}, "rows": [{seats}], "areas": [
            {{"shape": "rectangle", "position": {{"x": 1, "y": 2}}, "rectangle": {{"width": 30, "height": 10}}, "capacity": 120, "text": {{"text": "Stehplätze"}}}},
            {{"shape": "circle", "text": {{"text": "Bar"}}}},
            {{"shape": "polygon", "capacity": "60", "category": "Gold", "polygon": {{"points": [{{"x": 0, "y": 0}}, {{"x": 5, "y": 0}}, {{"x": 0, "y": 5}}]}}}}
        ]}}, {{"name": "Meadow", "capacity": 50}}, {{"name": "Nothing", "rows": []}}"#
    ));
    let layout = Layout::build(imported(ImportFormat::Pretix, content.as_bytes()).unwrap()).unwrap();
    let areas: Vec<(&str, u32, usize)> =
        layout.areas.iter().map(|area| (area.name.as_str(), area.place_count(), area.outline.len())).collect();
    assert_eq!(areas, [("Main", 1, 0), ("Stehplätze", 120, 4), ("Standing", 60, 3), ("Meadow", 50, 0)]);
    assert_eq!(layout.categories(), ["Gold", "Stehplätze", "Meadow"]);
    assert_eq!((layout.areas[1].outline[2].x, layout.areas[1].outline[2].y), (41.0, 32.0));
    let reported = findings(ImportFormat::Pretix, content.as_bytes());
    assert!(reported[0].starts_with("left_out zones[0].areas[1]: `Bar` (circle) is drawn"), "{reported:?}");
    assert_eq!(reported[1], "assumed zones[0].areas[2]: a standing area without a name is called `Standing`");
    assert_eq!(reported[2], "left_out zones[2]: zone `Nothing` has no seats");
}

#[test]
fn every_fault_of_a_plan_is_reported_at_once() {
    let seats = [
        seat("", "a", 0.0, ""),
        seat("2", "a", 1.0, ""),
        seat("3", "c", 2.0, r#", "wheelchair": true, "companion": true"#),
        r#"{"seat_number": "4", "category": "Tin", "position": {"x": "?", "y": 0}}"#.to_owned(),
    ];
    let content = plan(&format!(r#"{{"name": "Main", "rows": [{}]}}"#, row(r#""row_number": "1""#, 0.0, &seats)));
    assert_eq!(
        findings(ImportFormat::Pretix, content.as_bytes()),
        [
            "wrong zones[0].rows[0].seats[0].seat_number: Must not be empty.",
            "wrong zones[0].rows[0].seats[1].seat_guid: another seat has `a`",
            "wrong zones[0].rows[0].seats[2]: a seat is accessible or companion, not both",
            "wrong zones[0].rows[0].seats[3].category: `Tin` is not one of the categories",
            "wrong zones[0].rows[0].seats[3].position.x: must be a number",
        ]
    );
    let many: Vec<String> = (0..FINDINGS_MAX + 10).map(|n| seat("", &n.to_string(), n as f32, "")).collect();
    let content = plan(&format!(r#"{{"name": "Main", "rows": [{}]}}"#, row(r#""row_number": "1""#, 0.0, &many)));
    let reported = findings(ImportFormat::Pretix, content.as_bytes());
    assert_eq!(reported.len(), FINDINGS_MAX + 1);
    assert_eq!(reported[FINDINGS_MAX], "wrong the file: 10 more findings are not listed");
}
