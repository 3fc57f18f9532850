//! Reads seat flags from fields that the pretix format does not define, such as `wheelchair` or `tags`.

use super::super::finding::FindingKind;
use super::super::findings::Findings;
use super::super::seat_flags::{self, Meaning};
use super::json_shapes::Loose;
use crate::catalog::layout::SeatFlag;

/// The flags in the field `key` of a seat. A value that says no is no flag. A value without a known meaning is reported as a finding.
pub(super) fn read_flags(field: &str, key: &str, value: &Loose, findings: &mut Findings) -> Vec<SeatFlag> {
    match (value, seat_flags::flag_of_word(key)) {
        (Loose::Null, _) | (Loose::Bool(false), Some(_)) => Vec::new(),
        (Loose::Bool(true), Some(flag)) => vec![flag],
        (Loose::Number(number), Some(flag)) => (*number != 0.0).then_some(flag).into_iter().collect(),
        (Loose::Text(text), named) => match (seat_flags::parse_bool(text), seat_flags::flag_of_word(text), named) {
            (Some(false), _, Some(_)) => Vec::new(),
            (Some(true), _, Some(flag)) | (None, Some(flag), _) => vec![flag],
            _ if reports_denial(field, text, findings) => Vec::new(),
            _ => report_unread(field, key, findings),
        },
        (Loose::List(list), _) => list.iter().flat_map(|item| flag_of_item(field, key, item, findings)).collect(),
        _ => report_unread(field, key, findings),
    }
}

fn report_unread(field: &str, key: &str, findings: &mut Findings) -> Vec<SeatFlag> {
    findings.add_merged(|| field.to_owned(), FindingKind::LeftOut, &format!("field `{key}` of a seat is not read"));
    Vec::new()
}

fn flag_of_item(field: &str, key: &str, item: &Loose, findings: &mut Findings) -> Option<SeatFlag> {
    let what = match item {
        Loose::Text(text) => {
            let flag = seat_flags::flag_of_word(text);
            if flag.is_some() || reports_denial(field, text, findings) {
                return flag;
            }
            format!("`{text}` in field `{key}`")
        }
        _ => format!("field `{key}`"),
    };
    findings.add_merged(|| field.to_owned(), FindingKind::LeftOut, &format!("{what} of a seat is not read"));
    None
}

fn reports_denial(field: &str, text: &str, findings: &mut Findings) -> bool {
    let Some(Meaning::Denies(flag)) = seat_flags::meaning_of_name(text) else { return false };
    findings.add_merged(|| field.to_owned(), FindingKind::Assumed, &seat_flags::denial_detail(flag, text));
    true
}
