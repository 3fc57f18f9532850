//! Reads the marks of a seat from fields that the format does not define.

use super::super::finding::{FindingKind, Findings};
use super::super::marks::{self, Meaning};
use super::shapes::Loose;
use crate::catalog::layout::SeatFlag;

/// The flags that a value of a seat's field `key` means; what of it means nothing, or denies a mark, is told.
pub(super) fn read(field: &str, key: &str, value: &Loose, findings: &mut Findings) -> Vec<SeatFlag> {
    match (value, marks::flag(key)) {
        (Loose::Null, _) | (Loose::Truth(false), Some(_)) => Vec::new(),
        (Loose::Truth(true), Some(flag)) => vec![flag],
        (Loose::Number(number), Some(flag)) => (*number != 0.0).then_some(flag).into_iter().collect(),
        (Loose::Text(text), named) => match (marks::truth(text), marks::flag(text), named) {
            (Some(false), _, Some(_)) => Vec::new(),
            (Some(true), _, Some(flag)) | (None, Some(flag), _) => vec![flag],
            _ if denied(field, text, findings) => Vec::new(),
            _ => unread(field, key, findings),
        },
        (Loose::List(list), _) => list.iter().flat_map(|item| of_item(field, key, item, findings)).collect(),
        _ => unread(field, key, findings),
    }
}

fn unread(field: &str, key: &str, findings: &mut Findings) -> Vec<SeatFlag> {
    findings.each(|| field.to_owned(), FindingKind::LeftOut, &format!("field `{key}` of a seat is not read"));
    Vec::new()
}

fn of_item(field: &str, key: &str, item: &Loose, findings: &mut Findings) -> Option<SeatFlag> {
    let what = match item {
        Loose::Text(text) => {
            let flag = marks::flag(text);
            if flag.is_some() || denied(field, text, findings) {
                return flag;
            }
            format!("`{text}` in field `{key}`")
        }
        _ => format!("field `{key}`"),
    };
    findings.each(|| field.to_owned(), FindingKind::LeftOut, &format!("{what} of a seat is not read"));
    None
}

fn denied(field: &str, text: &str, findings: &mut Findings) -> bool {
    let Some(Meaning::Denies(flag)) = marks::meaning(text) else { return false };
    findings.each(|| field.to_owned(), FindingKind::Assumed, &marks::denied(flag, text));
    true
}
