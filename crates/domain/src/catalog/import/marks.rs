//! Reads what is special about a seat, in the words that plans and people use for it.

use self::words::{HANGERS_ON, WORDS};
use super::finding::{FindingKind, Findings};
use crate::catalog::layout::{Seat, SeatFlag};

mod meaning;
#[cfg(test)]
mod tests;
mod words;

pub(super) use meaning::{Meaning, meaning};

/// A name or a word in small letters, with `_` for blanks and hyphens.
pub(super) fn normalised(text: &str) -> String {
    let folded = crate::text::folded(text);
    folded
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '_'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// The flag that a word means, however its parts are joined: `wheelchair-space`, `WheelchairSpaces`, `W/C`.
pub(super) fn flag(word: &str) -> Option<SeatFlag> {
    let joined = |text: &str| text.chars().filter(|c| *c != '_').collect::<String>();
    let word = joined(&normalised(word));
    let known = |word: &str| {
        let is_word = |known: &&str| known.chars().filter(|c| *c != '_').eq(word.chars());
        WORDS.iter().find(|(_, words)| words.iter().any(is_word)).map(|(flag, _)| *flag)
    };
    known(&word).or_else(|| HANGERS_ON.iter().find_map(|end| known(word.strip_suffix(end)?)))
}

/// True and false as people write them; none for anything else.
pub(super) fn truth(text: &str) -> Option<bool> {
    match normalised(text).as_str() {
        "1" | "true" | "yes" | "y" | "x" | "t" | "on" | "ja" | "j" | "oui" | "si" | "sí" | "sim" | "wahr" | "vrai"
        | "✓" | "✔" => Some(true),
        "" | "0" | "false" | "no" | "n" | "f" | "off" | "not" | "nein" | "non" | "nee" | "não" | "none" | "null"
        | "nil" | "kein" | "keine" | "geen" | "falsch" | "faux" | "–" | "—" | "✗" | "✘" => Some(false),
        _ => None,
    }
}

/// Adds a flag once; false where it does not go with what is there: a seat is accessible or companion.
pub(super) fn add(flags: &mut Vec<SeatFlag>, flag: SeatFlag) -> bool {
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

/// Marks a seat whose names say that it is for wheelchairs or companions; said so, since the file does not mark the seat itself. A name that says that it
/// is not for them marks nothing, and is said too.
pub(super) fn by_names(at: impl FnOnce() -> String, seat: &mut Seat, names: &[&str], findings: &mut Findings) {
    if !seat.flags.is_empty() {
        return;
    }
    match names.iter().find_map(|name| read_once(name, findings).map(|meaning| (meaning, name))) {
        Some((Meaning::Says(flag), name)) => {
            seat.flags.push(flag);
            findings.each(at, FindingKind::Assumed, &format!("marked {}, since `{name}` says so", flag.as_str()));
        }
        Some((Meaning::Denies(flag), name)) => findings.each(at, FindingKind::Assumed, &denied(flag, name)),
        None => {}
    }
}

fn read_once(name: &str, findings: &mut Findings) -> Option<Meaning> {
    // A number says nothing.
    if !name.contains(|c: char| !c.is_ascii_digit()) {
        return None;
    }
    if let Some(known) = findings.named.get(name) {
        return *known;
    }
    let found = meaning(name);
    findings.named.insert(name.to_owned(), found);
    found
}

/// The finding for words that deny a mark.
pub(super) fn denied(flag: SeatFlag, words: &str) -> String {
    let words: String = words.chars().take(60).collect();
    format!("not marked {}, since `{words}` denies it", flag.as_str())
}
