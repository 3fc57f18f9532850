//! Tests CSV tables as spreadsheets of many countries write them, and files of unsupported formats.

use super::*;
use crate::catalog::import::csv_table::HEADER_SEARCH_LINES_MAX;
use crate::ticketing::place_number::PlaceNumber;

const PLAIN: &str = "area,row,seat,x,y,category\r\nParkett,1,1,0.5,0,Süd\r\nParkett,1,2,1.5,0,Süd\r\n";
const DRAWN: &str = "Parkett/1: 1@0.5,0#Süd 2@1.5,0#Süd";

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    let marked = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    marked.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn table_in_any_encoding_and_delimiter_gives_the_same_plan() {
    let semicolons = PLAIN.replace(',', ";").replace("0.5", "0,5").replace("1.5", "1,5");
    let tabs = PLAIN.replace(',', "\t");
    let windows = PLAIN.chars().map(|c| if c == 'ü' { 0xFC } else { c as u8 }).collect::<Vec<u8>>();
    let comma = "assumed line 2, field `x`: a decimal comma (and 1 more like this)";
    let separated = "assumed line 1: columns are separated by `;`";
    let rows: Vec<(&str, Vec<u8>, Vec<&str>)> = vec![
        ("plain", PLAIN.into(), vec![]),
        ("marked", format!("\u{feff}{PLAIN}").into(), vec![]),
        ("LF", PLAIN.replace("\r\n", "\n").into(), vec![]),
        ("CR", PLAIN.replace("\r\n", "\r").into(), vec![]),
        ("no last line end", PLAIN.trim_end().into(), vec![]),
        ("semicolons", semicolons.clone().into(), vec![separated, comma]),
        ("tabs", tabs.clone().into(), vec!["assumed line 1: columns are separated by tabs"]),
        ("bars", PLAIN.replace(',', "|").into(), vec!["assumed line 1: columns are separated by `|`"]),
        ("decomposed", PLAIN.replace('ü', "u\u{308}").into(), vec![]),
        ("header", PLAIN.replace("area,row,seat,x", " AREA , Row,\"Seat\", X ").into(), vec![]),
        ("quoted commas", PLAIN.replace("0.5", "\"0,5\"").replace("1.5", "\"1,5\"").into(), vec![comma]),
        ("windows", windows, vec!["assumed the file: read as windows-1252, since it is not UTF-8"]),
        ("UTF-16 LE", utf16(PLAIN, true, true), vec!["assumed the file: read as UTF-16LE, since it is not UTF-8"]),
        ("UTF-16 BE", utf16(PLAIN, false, true), vec!["assumed the file: read as UTF-16BE, since it is not UTF-8"]),
        ("bare LE", utf16(PLAIN, true, false), vec!["assumed the file: read as UTF-16LE, since it is not UTF-8"]),
        ("bare BE", utf16(PLAIN, false, false), vec!["assumed the file: read as UTF-16BE, since it is not UTF-8"]),
        (
            "sep",
            format!("sep=;\r\n{semicolons}").into(),
            vec![
                "left_out line 1: the line that names the separator",
                "assumed line 2: columns are separated by `;`",
                "assumed line 3, field `x`: a decimal comma (and 1 more like this)",
            ],
        ),
        (
            "SEP tab",
            format!("\u{feff}\"SEP=\t\"\r\n{tabs}").into(),
            vec!["left_out line 1: the line that names the separator", "assumed line 2: columns are separated by tabs"],
        ),
        ("trailing column", PLAIN.replace("\r\n", ",\r\n").into(), vec!["left_out line 1, column 7: an empty column"]),
        (
            "trailing rows",
            format!("{PLAIN},,,,,\r\n , ,,,,\r\n").into(),
            vec!["left_out line 4: an empty line (and 1 more like this)"],
        ),
        (
            "extra columns",
            PLAIN.replace("\r\n", ",45\r\n").replacen(",45", ",Price", 1).into(),
            vec!["left_out line 1, field `Price`: this column is not read"],
        ),
        (
            "unnamed column",
            PLAIN.replace("\r\n", ",45\r\n").replacen(",45", ",", 1).into(),
            vec!["left_out line 1, column 7: a column without a name is not read"],
        ),
    ];
    for (name, content, reported) in rows {
        let drafts = imported(ImportFormat::Csv, &content).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(drawn(&drafts), [DRAWN], "{name}");
        assert_eq!(findings(ImportFormat::Csv, &content), reported, "{name}");
        assert_eq!(ImportFormat::detect(&content), ImportFormat::Csv, "{name}");
    }
    let plan = utf16(PRETIX, true, true);
    assert_eq!(ImportFormat::detect(&plan), ImportFormat::Pretix);
    assert!(imported(ImportFormat::Pretix, &plan).is_ok());
}

#[test]
fn line_break_within_a_cell_becomes_a_space() {
    let content = b"area,row,seat,x,y,category\n\"Rang\nlinks\",A,1,0,0,Gold\n";
    assert_eq!(drawn(&imported(ImportFormat::Csv, content).unwrap()), ["Rang links/A: 1@0,0#Gold"]);
    let reported = findings(ImportFormat::Csv, content);
    assert_eq!(
        reported,
        ["changed line 2, field `area`: line breaks became blanks, invisible characters were dropped"]
    );
}

#[test]
fn unsupported_file_is_refused_with_the_name_of_its_format() {
    let rows: Vec<(&[u8], &str)> = vec![
        (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml xl/workbook.xml", "an Excel workbook (.xlsx)"),
        (
            b"PK\x03\x04\x14\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "an OpenDocument spreadsheet (.ods)",
        ),
        (b"PK\x03\x04\x14\0readme.txt", "a zip archive"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel workbook (.xls)"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xFF\xD8\xFF\xE0", "an image"),
        (b"GIF89a", "an image"),
        (b"\x1F\x8B\x08\0", "compressed with gzip"),
        (b"<svg xmlns='x'>", "a drawing (SVG)"),
        (b"<!DOCTYPE html><html>", "a web page (HTML)"),
        (
            b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"plan.csv\"\r\n\r\narea,row\r\n--x--\r\n",
            "a form (multipart/form-data)",
        ),
    ];
    for (content, what) in rows {
        for format in [ImportFormat::Csv, ImportFormat::Pretix] {
            let refusal = imported(format, content).unwrap_err();
            assert!(refusal.detail.starts_with(&format!("the file: This is {what}. ")), "{}", refusal.detail);
            assert_eq!((refusal.code, refusal.evidence.findings.len()), (Code::InvalidLayout, 1));
        }
    }
    let reported = |format, content: &str| imported(format, content.as_bytes()).unwrap_err().detail;
    assert!(reported(ImportFormat::Csv, PRETIX).contains("Import it with the format pretix"));
    assert!(reported(ImportFormat::Pretix, PLAIN).contains("Import it with the format csv"));
}

#[test]
fn every_fault_of_a_table_is_reported_at_once() {
    let content =
        "area,row,seat,x,y,category,flags\nS,A,1,?,0,Gold,\nS,,2,0,0,Gold,comfy\n,A,3,0,1e9,,\nS,A,4,0,0,Gold,\n";
    assert_eq!(
        findings(ImportFormat::Csv, content.as_bytes()),
        [
            "wrong line 2, field `x`: `?` is not a number",
            "wrong line 3, field `row`: Must not be empty.",
            "wrong line 3, field `flags`: `comfy` is not one of accessible, companion, restricted_view",
            "wrong line 4, field `area`: Must not be empty.",
            "wrong line 4, field `y`: must be a number between -1000000 and 1000000",
            "wrong line 4, field `category`: Must not be empty.",
        ]
    );
}

#[test]
fn flags_capacities_and_ticket_labels_are_read_from_their_columns() {
    let content = "area,row,seat,x,y,category,Wheelchair,Restricted View,capacity,row label,seat label\n\
        Tent,3,1,0,0,Gold,yes,,,Table 3,Chair %s\n\
        Tent,3,2,1,0,Gold,no,x,,Table 3,Chair %s\n\
        Meadow,,,,,Lawn,,,250,,\n\
        Yard,,,,,,,,40,,\n";
    let layout = Layout::build(imported(ImportFormat::Csv, content.as_bytes()).unwrap()).unwrap();
    let labels: Vec<_> = [0, 1, 2, 252].iter().map(|place| layout.label(PlaceNumber(*place)).unwrap()).collect();
    assert_eq!(labels, ["Tent · Table 3, Chair 1", "Tent · Table 3, Chair 2", "Meadow", "Yard"]);
    assert_eq!(layout.categories(), ["Gold", "Lawn", "Yard"]);
    assert_eq!(layout.seat(PlaceNumber(0)).unwrap().seat.flags, [SeatFlag::Accessible]);
    assert_eq!(layout.seat(PlaceNumber(1)).unwrap().seat.flags, [SeatFlag::RestrictedView]);
    assert_eq!(findings(ImportFormat::Csv, content.as_bytes()), Vec::<String>::new());
    let wrong = "area,row,seat,category,capacity,wheelchair\nA,,,,0,\nB,,,,1.5,\nC,1,1,Gold,,maybe\n";
    assert_eq!(
        findings(ImportFormat::Csv, wrong.as_bytes()),
        [
            "wrong line 2, field `capacity`: must be a whole number from 1 to 200000",
            "wrong line 3, field `capacity`: must be a whole number from 1 to 200000",
            "wrong line 4, field `wheelchair`: `maybe` is neither yes nor no",
        ]
    );
}

#[test]
fn words_that_deny_a_flag_set_none_and_are_reported() {
    let content = "area,row,seat,category,flags,wheelchair\n\
        S,A,1,Not wheelchair accessible,,\nS,A,2,Gold,no wheelchair,\nS,A,3,Gold,W/C,\nS,A,4,Gold,,not accessible\nS,A,5,Gold,W/C; restricted view,yes\n";
    let drafts = imported(ImportFormat::Csv, content.as_bytes()).unwrap();
    let flags: Vec<Vec<SeatFlag>> = rows(&drafts[0])[0].seats.iter().map(|seat| seat.flags.clone()).collect();
    let accessible = vec![SeatFlag::Accessible];
    let both = vec![SeatFlag::Accessible, SeatFlag::RestrictedView];
    assert_eq!(flags, [vec![], vec![], accessible, vec![], both]);
    let reported = findings(ImportFormat::Csv, content.as_bytes());
    assert_eq!(
        reported[..3],
        [
            "assumed line 2, field `category`: not marked accessible, since `Not wheelchair accessible` denies it",
            "assumed line 3, field `flags`: not marked accessible, since `no wheelchair` denies it",
            "assumed line 5, field `wheelchair`: not marked accessible, since `not accessible` denies it",
        ]
    );
}

#[test]
fn titles_before_the_header_are_skipped_and_reported() {
    let title = "left_out line 1: a line before the header";
    let separated = |line: u32| format!("assumed line {line}: columns are separated by `;`");
    for (before, separator, reported) in [
        ("Grand Hall 2026\n", ",", vec![title.to_owned()]),
        (",,,,,\n", ",", vec!["left_out line 1: an empty line".to_owned()]),
        (
            "Hall; floor 2, left\n;;;;;\n\n",
            ";",
            vec!["left_out line 2: an empty line".to_owned(), title.to_owned(), separated(4)],
        ),
        (&"note, area\n".repeat(HEADER_SEARCH_LINES_MAX - 1), ",", vec![format!("{title} (and 18 more like this)")]),
    ] {
        let content = format!("{before}{}", PLAIN.replace(',', separator));
        assert_eq!(drawn(&imported(ImportFormat::Csv, content.as_bytes()).unwrap()), [DRAWN], "{before}");
        assert_eq!(findings(ImportFormat::Csv, content.as_bytes()), reported, "{before}");
    }
    let late = format!("{}{PLAIN}", "note, area\n".repeat(HEADER_SEARCH_LINES_MAX));
    let reported = findings(ImportFormat::Csv, late.as_bytes());
    assert_eq!(reported[0], "wrong line 1, field `row`: this column is missing");
}

#[test]
fn synonyms_of_column_names_are_accepted_and_reported() {
    for (header, reported) in [
        (
            "Section,Row,Seat Number,x,y,Price category",
            vec![("Section", "area"), ("Seat Number", "seat"), ("Price category", "category")],
        ),
        ("Zone,Reihe,Platz,x,y,Category", vec![("Zone", "area"), ("Reihe", "row"), ("Platz", "seat")]),
        (
            "Block,Row no.,Seat #,x,y,Zone",
            vec![("Block", "area"), ("Row no.", "row"), ("Seat #", "seat"), ("Zone", "category")],
        ),
        ("area,row,Number,Pos X,Pos Y,category", vec![("Number", "seat"), ("Pos X", "x"), ("Pos Y", "y")]),
    ] {
        let content = PLAIN.replace("area,row,seat,x,y,category", header);
        assert_eq!(drawn(&imported(ImportFormat::Csv, content.as_bytes()).unwrap()), [DRAWN], "{header}");
        let reported = reported
            .iter()
            .map(|(name, column)| format!("assumed line 1, field `{name}`: this column is read as `{column}`"));
        assert_eq!(findings(ImportFormat::Csv, content.as_bytes()), reported.collect::<Vec<_>>(), "{header}");
    }
    // Exact column names win over synonyms, which are then reported as unread.
    let both = PLAIN.replace("\r\n", ",left\r\n").replacen(",left", ",Section", 1);
    assert_eq!(
        findings(ImportFormat::Csv, both.as_bytes()),
        ["left_out line 1, field `Section`: this column is not read"]
    );
    let twice = PLAIN.replace("x,y", "seat,y");
    assert_eq!(
        findings(ImportFormat::Csv, twice.as_bytes())[0],
        "wrong line 1, field `seat`: this column is in the header twice"
    );
}

#[test]
fn seat_with_a_capacity_is_reported() {
    let header = "area,row,seat,category,capacity\n";
    let fault = "the line names a row or a seat, and a capacity: give a seat, or a capacity without row and seat";
    for (line, reported) in [
        ("Floor,A,1,Standing,300", format!("wrong line 2, field `capacity`: {fault}")),
        ("Floor,A,,Standing,300", format!("wrong line 2, field `capacity`: {fault}")),
        ("Floor,,1,Standing,many", format!("wrong line 2, field `capacity`: {fault}")),
        ("Floor,A,1,Standing,1", "left_out line 2, field `capacity`: the capacity of a single seat, 1".to_owned()),
    ] {
        assert_eq!(findings(ImportFormat::Csv, format!("{header}{line}\n").as_bytes())[0], reported, "{line}");
    }
}

#[test]
fn mac_roman_file_with_carriage_returns_is_read() {
    let text = "area,row,seat,x,y,category\rParkett,1,1,0.5,0,S\u{9f}d\rParkett,1,2,1.5,0,S\u{9f}d\r";
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert_eq!(drawn(&imported(ImportFormat::Csv, &bytes).unwrap()), [DRAWN]);
    assert_eq!(findings(ImportFormat::Csv, &bytes), ["assumed the file: read as macintosh, since it is not UTF-8"]);
    let wrong = PLAIN.replace("\r\n", "\r").replace("1.5", "?");
    assert_eq!(findings(ImportFormat::Csv, wrong.as_bytes()), ["wrong line 3, field `x`: `?` is not a number"]);
}

#[test]
fn seats_are_ordered_by_position_else_by_natural_order_of_labels() {
    let order = |content: &str| {
        let drafts = imported(ImportFormat::Csv, content.as_bytes()).unwrap();
        let seats = rows(&drafts[0]).iter().flat_map(|row| &row.seats).map(|seat| seat.label.clone());
        seats.collect::<Vec<_>>().join(" ")
    };
    // Odd seats left of the middle, even ones right of it, listed by number; in a slanted row.
    let odd_even: String = (1..=9)
        .map(|n| {
            let x = if n % 2 == 1 { 10 - n / 2 } else { 10 + n / 2 };
            format!("S,A,{n},{x},{},Gold\n", x * 2)
        })
        .collect();
    let positions = format!("area,row,seat,x,y,category\n{odd_even}");
    assert_eq!(order(&positions), "9 7 5 3 1 2 4 6 8");
    assert_eq!(
        findings(ImportFormat::Csv, positions.as_bytes()),
        ["assumed line 2: the seats of the row are ordered by their positions, not as listed"]
    );
    let sorted_as_text = |positions: &str| {
        let lines = ["1", "10", "11", "2", "3"].map(|n| format!("S,A,{n}{positions},Gold\n"));
        lines.concat()
    };
    let detail = "assumed line 2: the file gives no positions: neighbours and the drawing are assumed by the order of the labels";
    for (header, positions) in [("area,row,seat,category", ""), ("area,row,seat,x,y,category", ",,")] {
        let content = format!("{header}\n{}", sorted_as_text(positions));
        assert_eq!(order(&content), "1 2 3 10 11");
        assert_eq!(findings(ImportFormat::Csv, content.as_bytes()), [detail]);
    }
    let one_point = format!("area,row,seat,x,y,category\n{}", sorted_as_text(",0,0"));
    assert_eq!(order(&one_point), "1 2 3 10 11");
    for (x, y) in [("0", "0"), ("5", "5"), ("-7.5", "1e3")] {
        let content = format!("area,row,seat,x,y,category\nS,10,1,{x},{y},G\nS,2,2,{x},{y},G\nS,2,1,{x},{y},G\n");
        let drafts = imported(ImportFormat::Csv, content.as_bytes()).unwrap();
        assert_eq!(drawn(&drafts), ["S/2: 1@0,0#G 2@1,0#G", "S/10: 1@0,1#G"]);
        let reported = findings(ImportFormat::Csv, content.as_bytes());
        let detail = "assumed area `S`: seats with the same position are drawn side by side, one row below the other";
        assert_eq!(reported.last().map(String::as_str), Some(detail), "{reported:?}");
    }
    let beside = "area,row,seat,x,y,category\nS,A,1,10,3,G\nS,A,2,12,3,G\nS,B,1,0,0,G\nS,B,2,0,0,G\n";
    let drafts = imported(ImportFormat::Csv, beside.as_bytes()).unwrap();
    assert_eq!(drawn(&drafts), ["S/A: 1@10,3#G 2@12,3#G", "S/B: 1@10,7#G 2@12,7#G"]);
    let some = "area,row,seat,x,y,category\nS,A,1,0,0,G\nS,A,2,,,G\n";
    let reported = findings(ImportFormat::Csv, some.as_bytes());
    assert_eq!(reported, ["wrong line 3, field `x`: other seats of this row have a position"]);
    // Rows without positions are sorted by name and drawn one below the other.
    let rows_by_text = "area,row,seat,category\nS,10,1,G\nS,2,1,G\nS,1,1,G\n";
    let drafts = imported(ImportFormat::Csv, rows_by_text.as_bytes()).unwrap();
    assert_eq!(drawn(&drafts), ["S/1: 1@0,0#G", "S/2: 1@0,1#G", "S/10: 1@0,2#G"]);
}
