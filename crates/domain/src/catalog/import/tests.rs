//! Tests whole small files, every refusal with its text, limits, and arbitrary bytes.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::catalog::layout::{AreaDraftKind, Layout, PLACES_MAX, RowDraft, SEATS_PER_ROW_MAX, SeatFlag};

mod csv_tables;
mod formats;
mod pretix_plans;
mod stacked_seats;
mod unsupported_formats;

fn read_whole(format: ImportFormat, content: &[u8]) -> Result<ImportedPlan, Refusal> {
    let mut next = 0;
    read(format, content, || {
        next += 1;
        AreaId::from_uuid(Uuid::from_u128(next))
    })
}

fn imported(format: ImportFormat, content: &[u8]) -> Result<Vec<AreaDraft>, Refusal> {
    read_whole(format, content).map(|imported| imported.areas)
}

/// `kind at: detail` of each finding.
fn findings(format: ImportFormat, content: &[u8]) -> Vec<String> {
    let line = |finding: &Finding| format!("{} {}: {}", finding.kind.as_str(), finding.at, finding.detail);
    match read_whole(format, content) {
        Ok(imported) => imported.findings.iter().map(line).collect(),
        Err(refusal) => refusal.evidence.findings.iter().map(line).collect(),
    }
}

fn rows(draft: &AreaDraft) -> &[RowDraft] {
    match &draft.kind {
        AreaDraftKind::Seated { rows } => rows,
        AreaDraftKind::GeneralAdmission { .. } => &[],
    }
}

/// `Area/Row/Seat@x,y#category` for each seat, and `|` between rows.
fn drawn(drafts: &[AreaDraft]) -> Vec<String> {
    let row = |area: &AreaDraft, row: &RowDraft| {
        let seats = row.seats.iter().map(|seat| format!("{}@{},{}#{}", seat.label, seat.x, seat.y, seat.category));
        format!("{}/{}: {}", area.name, row.name, seats.collect::<Vec<_>>().join(" "))
    };
    drafts.iter().flat_map(|area| rows(area).iter().map(move |each| row(area, each))).collect()
}

const PRETIX: &str = r##"{
  "name": "Hall", "size": {"width": 800, "height": 600},
  "categories": [{"name": "Stalls", "color": "#7f4a91"}, {"name": "Balcony ", "color": "#33c"}],
  "zones": [
    {"name": "Main", "zone_id": "z1", "position": {"x": 100, "y": 50}, "rows": [
      {"row_number": "A", "row_number_position": "both", "position": {"x": 10, "y": 5}, "seats": [
        {"seat_guid": "a1", "seat_number": "1", "position": {"x": 0, "y": 0}, "category": "Stalls", "radius": 10},
        {"seat_guid": "a2", "seat_number": "2", "position": {"x": 25.5, "y": 1.5}, "category": "Stalls"}]},
      {"row_number": 2, "seats": [
        {"seat_guid": "b1", "seat_number": 1, "position": {"x": 0, "y": 30}, "category": "Stalls"}]},
      {"row_number": null, "seats": [
        {"seat_number": "9", "position": {"x": 0, "y": 60}, "category": "Balcony"}]},
      {"row_number": "empty", "seats": []}],
      "areas": [{"shape": "rectangle", "color": "#ccc", "position": {"x": 0, "y": 0}, "text": {"text": "Stage"}}]},
    {"name": "Drawing only", "position": {"x": 0, "y": 0}, "rows": []},
    {"position": {"x": 0, "y": 400}, "rows": [
      {"row_number": "A", "seats": [
        {"seat_guid": "c1", "seat_number": "1", "position": {"x": 1, "y": 2}, "category": "Balcony"}]}]}
  ]}"##;

#[test]
fn plan_of_zones_rows_and_seats_becomes_areas() {
    let drafts = imported(ImportFormat::Pretix, PRETIX.as_bytes()).unwrap();
    assert_eq!(
        drawn(&drafts),
        [
            "Main/A: 1@110,55#Stalls 2@135.5,56.5#Stalls",
            "Main/2: 1@100,80#Stalls",
            "Main/3: 9@100,110#Balcony",
            "Zone 3/A: 1@1,402#Balcony",
        ]
    );
    assert_ne!(drafts[0].id, drafts[1].id);
    let layout = Layout::build(drafts).unwrap();
    assert_eq!(layout.place_count(), 5);
    let marked = [b"\xEF\xBB\xBF", PRETIX.as_bytes()].concat();
    assert_eq!(imported(ImportFormat::detect(&marked), &marked).unwrap().len(), 2);
}

#[test]
fn fault_of_a_plan_is_reported_with_its_path() {
    let rows: &[(&str, &str, &str)] = &[
        (r#""seat_number": "2""#, r#""seat_number": " ""#, "zones[0].rows[0].seats[1].seat_number: Must not be empty."),
        (r#""seat_number": "2""#, r#""seat_number": null"#, "zones[0].rows[0].seats[1].seat_number: is missing"),
        (
            r#""seat_number": "2""#,
            r#""seat_number": [2]"#,
            "zones[0].rows[0].seats[1].seat_number: must be a text or a whole number",
        ),
        (r#""seat_number": "2", "#, "", "zones[0].rows[0].seats[1].seat_number: is missing"),
        (r#""seat_guid": "a2""#, r#""seat_guid": "a1""#, "zones[0].rows[0].seats[1].seat_guid: another seat has `a1`"),
        (r#""x": 25.5"#, r#""x": "25""#, "zones[0].rows[0].seats[1].position.x: must be a number"),
        (
            r#""x": 25.5"#,
            r#""x": 1e30"#,
            "zones[0].rows[0].seats[1].position.x: must be a number between -1000000 and 1000000",
        ),
        (
            r#""y": 30}, "category": "Stalls""#,
            r#""y": 30}, "category": "Circle""#,
            "zones[0].rows[1].seats[0].category: `Circle` is not one of the categories",
        ),
        (r#""zones""#, r#""zoos""#, "zones: is missing"),
        (r#"{"x": 1, "y": 2}"#, r#"{"x": 1, "y": 2"#, "zones[2].rows[0].seats[0]"),
    ];
    for (from, to, expected) in rows {
        let changed = PRETIX.replacen(from, to, 1);
        assert_ne!(changed, PRETIX, "{from} is in the file");
        let refusal = imported(ImportFormat::Pretix, changed.as_bytes()).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidLayout);
        assert!(refusal.detail.starts_with(expected), "{from} → {to}:\n{}\n{expected}", refusal.detail);
        let field = refusal.evidence.field.unwrap();
        assert!(refusal.detail.starts_with(&field), "{field}");
    }
    for (content, expected) in [
        ("", "the file: EOF while parsing a value at line 1 column 0"),
        ("{}", "zones: is missing"),
        (r#"{"zones": [], "categories": []}"#, "zones: no zone has seats"),
        (r#"{"zones": {}, "categories": []}"#, "zones: invalid type: map, expected a sequence at line 1 column 10"),
    ] {
        assert_eq!(imported(ImportFormat::Pretix, content.as_bytes()).unwrap_err().detail, expected);
    }
}

#[test]
fn table_of_seats_becomes_areas() {
    let content = "area,row,seat,x,y,category,flags\r\n\
        Stalls,A,1,0,0,Gold,\r\n\
        Stalls,A,2,1.5,0,Gold,accessible\r\n\
        \"Balcony, left\",\"Row \"\"C\"\"\",1,0,-9,Silver,companion; RESTRICTED_VIEW\r\n\
        \r\n\
        stalls,B,1,0,1,Gold,\r\n\
        Stalls,A,3,3,0,Gold,\r\n";
    let drafts = imported(ImportFormat::detect(content.as_bytes()), content.as_bytes()).unwrap();
    assert_eq!(
        drawn(&drafts),
        [
            "Stalls/A: 1@0,0#Gold 2@1.5,0#Gold 3@3,0#Gold",
            "Stalls/B: 1@0,1#Gold",
            "Balcony, left/Row \"C\": 1@0,-9#Silver",
        ]
    );
    assert_eq!(rows(&drafts[0])[0].seats[1].flags, [SeatFlag::Accessible]);
    assert_eq!(rows(&drafts[1])[0].seats[0].flags, [SeatFlag::Companion, SeatFlag::RestrictedView]);
    let other_order = "Category, Y ,x,SEAT,row,area\nGold,2,1,7,A,Stalls\n";
    assert_eq!(drawn(&imported(ImportFormat::Csv, other_order.as_bytes()).unwrap()), ["Stalls/A: 7@1,2#Gold"]);
}

#[test]
fn fault_of_a_table_is_reported_with_its_line_and_column() {
    let seats = |lines: &str| format!("area,row,seat,x,y,category,flags\nS,A,1,0,0,Gold,\n{lines}");
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "line 1: the file is empty"),
        (b"area,row,seat,x,y\n".into(), "line 1, field `category`: this column is missing"),
        (b"area,row,seat,x,category\n".into(), "line 1, field `y`: this column is missing"),
        (b"area,row,seat,x,y,category\n".into(), "line 2: there are no seats"),
        (b"area,row,seat,x,y,category,x\n".into(), "line 1, field `x`: this column is in the header twice"),
        (b"S,A,1,0,0,Gold\n".into(), "line 1, field `area`: this column is missing (3 more findings)"),
        (seats("S,A,2,one,0,Gold,").into(), "line 3, field `x`: `one` is not a number"),
        (seats("S,A,2,0,,Gold,").into(), "line 3, field `y`: `` is not a number"),
        (seats("S,A,2,0,NaN,Gold,").into(), "line 3, field `y`: must be a number between -1000000 and 1000000"),
        (seats("S,A,2,0,1e7,Gold,").into(), "line 3, field `y`: must be a number between -1000000 and 1000000"),
        (seats("\n\nS,A,2,0,0,,").into(), "line 5, field `category`: Must not be empty."),
        (seats("S,A,1,0,0,Gold,").into(), "line 3, field `seat`: row `A` of this area has another seat `1`"),
        (seats("s,A, 1 ,0,0,Gold,").into(), "line 3, field `seat`: row `A` of this area has another seat `1`"),
        (seats(" ,A,1,0,0,Gold,").into(), "line 3, field `area`: Must not be empty."),
        (seats("S,,1,0,0,Gold,").into(), "line 3, field `row`: Must not be empty."),
        (
            seats("S,A,a label that is far too long,0,0,Gold,").into(),
            "line 3, field `seat`: Must have at most 20 characters.",
        ),
        (
            seats("S,A,2,0,0,Gold,comfy").into(),
            "line 3, field `flags`: `comfy` is not one of accessible, companion, restricted_view",
        ),
        (
            seats("S,A,2,0,0,Gold,companion accessible").into(),
            "line 3, field `flags`: a seat is accessible or companion, not both",
        ),
        (seats("S,A,2,0,0,Gold,,,x").into(), "line 3: 9 fields where the header has 7"),
        (seats("\"S\nS\",A,2,0,0,Gold,\nS,A,3,?,0,Gold,").into(), "line 5, field `x`: `?` is not a number"),
    ];
    for (content, expected) in rows {
        let refusal = imported(ImportFormat::Csv, &content).unwrap_err();
        assert_eq!((refusal.code, refusal.detail.as_str()), (Code::InvalidLayout, expected));
    }
}

#[test]
fn limits_accept_their_edge_and_refuse_one_more() {
    let table = |seats: u32| {
        let lines = (0..seats).map(|n| format!("S,{},{},0,0,G\n", n / 1_000, n % 1_000));
        format!("area,row,seat,x,y,category\n{}", lines.collect::<String>())
    };
    let max = imported(ImportFormat::Csv, table(PLACES_MAX).as_bytes()).unwrap();
    assert_eq!(Layout::build(max).unwrap().place_count(), PLACES_MAX);
    let refusal = imported(ImportFormat::Csv, table(PLACES_MAX + 1).as_bytes()).unwrap_err();
    assert_eq!(refusal.detail, "line 200002: more than the 200000 seats allowed");
    // Refused at the first line, so this is fast.
    let mut large = b"no column\n".to_vec();
    large.resize(IMPORT_BYTES_MAX, b' ');
    assert_eq!(imported(ImportFormat::Csv, &large).unwrap_err().code, Code::InvalidLayout);
    large.push(b' ');
    assert_eq!(imported(ImportFormat::Csv, &large).unwrap_err().code, Code::TooLarge);
}

#[test]
fn row_that_is_too_long_is_refused_before_its_seats_are_ordered() {
    // A ring of seats is the slowest shape to order.
    let seat = |at: usize| {
        let angle = at as f32 / 1_000.0;
        format!("S,A,{at},{},{},G\n", angle.cos() * 900.0, angle.sin() * 900.0)
    };
    let table = |seats: usize| format!("area,row,seat,x,y,category\n{}", (0..seats).map(seat).collect::<String>());
    assert!(imported(ImportFormat::Csv, table(SEATS_PER_ROW_MAX).as_bytes()).is_ok());
    let refusal = imported(ImportFormat::Csv, table(SEATS_PER_ROW_MAX + 1).as_bytes()).unwrap_err();
    assert_eq!(refusal.detail, "line 2: row `A` has 1001 seats; at most 1000 are allowed");
    assert!(imported(ImportFormat::Csv, table(50_000).as_bytes()).unwrap_err().detail.contains("50000 seats"));
}

#[test]
fn faults_are_listed_even_with_too_many_other_findings() {
    let lines = (0..FINDINGS_MAX * 2).map(|n| format!("S,A,{n},G,column {n}\n"));
    let header: String = (0..FINDINGS_MAX + 5).map(|n| format!(",extra {n}")).collect();
    let content = format!("area,row,seat,category{header}\n{}S,A,,G\n", lines.collect::<String>());
    let refusal = imported(ImportFormat::Csv, content.as_bytes()).unwrap_err();
    let at: Vec<&str> = refusal.evidence.findings.iter().map(|finding| finding.at.as_str()).collect();
    assert_eq!(at, ["line 1002, field `seat`"]);
}

#[test]
fn row_is_split_at_its_aisles() {
    let table = |positions: &[f32]| {
        let lines = positions.iter().enumerate().map(|(n, x)| format!("S,A,{n},{x},0,G\n"));
        let content = format!("area,row,seat,x,y,category\n{}", lines.collect::<String>());
        let drafts = imported(ImportFormat::Csv, content.as_bytes()).unwrap();
        rows(&drafts[0]).iter().map(|row| row.seats.len()).collect::<Vec<_>>()
    };
    let cases: &[(&[f32], &[usize])] = &[
        (&[0.0], &[1]),
        (&[0.0, 9.0], &[2]),
        (&[0.0, 1.0, 2.0, 3.0], &[4]),
        (&[3.0, 2.0, 1.0, 0.0], &[4]),
        (&[0.0, 1.0, 3.0, 4.0], &[2, 2]),
        (&[0.0, 1.0, 2.7, 3.7], &[4]),
        (&[0.0, 1.0, 2.0, 9.0, 10.0, 19.0, 20.0], &[3, 2, 2]),
        (&[0.0, 0.0, 0.0, 5.0], &[4]),
    ];
    for (positions, parts) in cases {
        assert_eq!(table(positions), *parts, "{positions:?}");
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

proptest! {
    /// Arbitrary bytes are read, or refused as `invalid_layout`.
    #[test]
    fn arbitrary_bytes_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..200), format in prop::sample::select(vec![ImportFormat::Pretix, ImportFormat::Csv])) {
        if let Err(refusal) = imported(format, &content) {
            prop_assert_eq!(refusal.code, Code::InvalidLayout);
        }
    }

    /// A plan with one damaged byte is refused, or read into a layout that can be built.
    #[test]
    fn plan_with_a_damaged_byte_is_read_or_refused(at in 0..PRETIX.len(), byte in 32_u8..127) {
        let mut content = PRETIX.as_bytes().to_vec();
        content[at] = byte;
        match imported(ImportFormat::Pretix, &content) {
            Ok(drafts) => { Layout::build(drafts).unwrap(); }
            Err(refusal) => prop_assert_eq!(refusal.code, Code::InvalidLayout),
        }
    }

    /// A table that is written and imported has the same areas, rows and seats.
    #[test]
    fn table_with_arbitrary_names_is_imported_unchanged(
        names in prop::collection::btree_set("[A-Za-z,;\"' äß]{0,8}[A-Za-z]", 1..4),
        row_name in "[A-Z,\"]{1,3}",
        seats in prop::collection::vec((-1_000_i32..1_000, prop::sample::subsequence(vec![SeatFlag::Companion, SeatFlag::RestrictedView], 0..=2)), 1..6),
    ) {
        let lower: std::collections::BTreeSet<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
        prop_assume!(lower.len() == names.len());
        // Seats of one position behind an aisle are drawn elsewhere; `row_is_split_at_its_aisles` and the tests of stacked seats cover them.
        let positions: std::collections::BTreeSet<i32> = seats.iter().map(|(x, _)| *x).collect();
        prop_assume!(positions.len() == seats.len());
        let mut content = "flags,area,row,seat,x,y,category\n".to_owned();
        for name in &names {
            for (number, (x, flags)) in seats.iter().enumerate() {
                let flags: Vec<&str> = flags.iter().map(|flag| flag.as_str()).collect();
                content += &format!("{},{},{},{number},{x},0.5,\"G,\"\n", flags.join(" "), quoted(name), quoted(&row_name));
            }
        }
        let drafts = imported(ImportFormat::Csv, content.as_bytes()).unwrap();
        prop_assert_eq!(drafts.iter().map(|draft| draft.name.clone()).collect::<Vec<_>>(), names.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>());
        for draft in &drafts {
            prop_assert!(rows(draft).iter().all(|row| row.name == row_name));
            let got: Vec<_> = rows(draft).iter().flat_map(|row| &row.seats).map(|seat| (seat.x as i32, seat.flags.clone())).collect();
            prop_assert!(got.is_sorted_by_key(|(x, _)| *x), "left to right");
            let sorted = |mut seats: Vec<(i32, Vec<SeatFlag>)>| { seats.sort(); seats };
            prop_assert_eq!(sorted(got), sorted(seats.clone()));
        }
        prop_assert!(Layout::build(drafts).is_ok());
    }
}
