//! Sets seat flags (accessible, companion, restricted view) from the words and names of a plan, and reports what was assumed.

use super::finding::FindingKind;
use super::findings::Findings;
use crate::catalog::layout::{Seat, SeatFlag};

mod flag_words;
mod name_meaning;
#[cfg(test)]
mod tests;
mod vocabulary;

pub(super) use flag_words::{flag_of_word, normalized, parse_bool};
pub(super) use name_meaning::{Meaning, meaning_of_name};

/// Adds a flag once. Returns false where another flag excludes it: a seat is accessible or companion, not both.
pub(super) fn add_flag(flags: &mut Vec<SeatFlag>, flag: SeatFlag) -> bool {
    let opposite = match flag {
        SeatFlag::Accessible => Some(SeatFlag::Companion),
        SeatFlag::Companion => Some(SeatFlag::Accessible),
        SeatFlag::RestrictedView => None,
    };
    if opposite.is_some_and(|opposite| flags.contains(&opposite)) {
        return false;
    }
    if !flags.contains(&flag) {
        flags.push(flag);
    }
    true
}

/// Sets the flag of a seat without flags from the names of the seat, its row, area and category, and reports this assumption. A name that denies a flag sets
/// none and is reported too.
pub(super) fn infer_from_names(at: impl FnOnce() -> String, seat: &mut Seat, names: &[&str], findings: &mut Findings) {
    if !seat.flags.is_empty() {
        return;
    }
    match names.iter().find_map(|name| cached_meaning(name, findings).map(|meaning| (meaning, name))) {
        Some((Meaning::Affirms(flag), name)) => {
            seat.flags.push(flag);
            findings.add_merged(
                at,
                FindingKind::Assumed,
                &format!("marked {}, because of the name `{name}`", flag.as_str()),
            );
        }
        Some((Meaning::Denies(flag), name)) => {
            findings.add_merged(at, FindingKind::Assumed, &denial_detail(flag, name))
        }
        None => {}
    }
}

fn cached_meaning(name: &str, findings: &mut Findings) -> Option<Meaning> {
    // A number has no meaning.
    if !name.contains(|c: char| !c.is_ascii_digit()) {
        return None;
    }
    if let Some(known) = findings.name_meanings.get(name) {
        return *known;
    }
    let found = meaning_of_name(name);
    findings.name_meanings.insert(name.to_owned(), found);
    found
}

/// The detail of the finding for words that deny a flag.
pub(super) fn denial_detail(flag: SeatFlag, words: &str) -> String {
    let words: String = words.chars().take(60).collect();
    format!("not marked {}, since `{words}` denies it", flag.as_str())
}
