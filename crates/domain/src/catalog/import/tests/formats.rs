//! Tests the detection and the names of the formats, and which refusals become findings of the file.

use super::*;
use crate::catalog::layout::{CATEGORY_CHARS_MAX, SEAT_LABEL_CHARS_MAX};

#[test]
fn only_a_refused_area_becomes_a_finding() {
    let refused = refusal_with_finding(Refusal::invalid("areas[2].name", "Must not be empty."));
    assert_eq!((refused.code, refused.detail.as_str()), (Code::InvalidLayout, "areas[2].name: Must not be empty."));
    assert_eq!(refused.evidence.findings.len(), 1);
    for other in
        [Refusal::invalid("name", "Must not be empty."), Refusal::new(Code::TooLarge, "x"), Refusal::not_found()]
    {
        assert_eq!(refusal_with_finding(other.clone()), other);
    }
}

#[test]
fn format_is_detected_behind_blanks_and_parsed_in_any_case() {
    for (content, expected) in [
        ("{}".to_owned(), ImportFormat::Pretix),
        (format!("{}{{}}", " \n".repeat(8_000)), ImportFormat::Pretix),
        ("area,row,seat,category\n{".to_owned(), ImportFormat::Csv),
        ("[]".to_owned(), ImportFormat::Csv),
        (String::new(), ImportFormat::Csv),
    ] {
        assert_eq!(ImportFormat::detect(content.as_bytes()), expected);
    }
    for (text, expected) in [("pretix", Some(ImportFormat::Pretix)), (" CSV ", Some(ImportFormat::Csv)), ("xls", None)]
    {
        assert_eq!(ImportFormat::parse(text).ok(), expected, "{text}");
    }
}

#[test]
fn text_as_long_as_its_limit_is_imported_and_one_more_character_is_refused() {
    let table = |seat: usize, category: usize| {
        let content = format!("area,row,seat,category\nS,A,{},{}\n", "1".repeat(seat), "é".repeat(category));
        imported(ImportFormat::Csv, content.as_bytes()).map(|drafts| rows(&drafts[0])[0].seats[0].clone())
    };
    let seat = table(SEAT_LABEL_CHARS_MAX, CATEGORY_CHARS_MAX).unwrap();
    assert_eq!((seat.label.chars().count(), seat.category.chars().count()), (SEAT_LABEL_CHARS_MAX, CATEGORY_CHARS_MAX));
    for (seat, category, expected) in [
        (SEAT_LABEL_CHARS_MAX + 1, 1, "line 2, field `seat`: Must have at most 20 characters."),
        (1, CATEGORY_CHARS_MAX + 1, "line 2, field `category`: Must have at most 60 characters."),
    ] {
        assert_eq!(table(seat, category).unwrap_err().detail, expected);
    }
}

#[test]
fn delimiter_is_detected_by_synonyms_of_column_names_too() {
    for delimiter in [",", ";", "\t", "|"] {
        let content = "Zone;Reihe;Platz;Price category\nParkett;1;2;Süd\n".replace(';', delimiter);
        let drafts = imported(ImportFormat::Csv, content.as_bytes()).unwrap();
        assert_eq!(drawn(&drafts), ["Parkett/1: 2@0,0#Süd"], "{delimiter:?}");
    }
}
