//! Reads what is special about a seat, in the words that plans and people use for it.

use super::finding::{FindingKind, Findings};
use crate::catalog::layout::{Seat, SeatFlag};

/// Words for each flag, as [`normalised`] writes them.
const WORDS: &[(SeatFlag, &[&str])] = &[
    (
        SeatFlag::Accessible,
        &[
            "accessible",
            "is_accessible",
            "wheelchair",
            "is_wheelchair",
            "wheelchair_accessible",
            "wheelchair_space",
            "wheelchair_seat",
            "wheelchair_place",
            "accessible_seat",
            "accessibility",
            "handicap",
            "handicapped",
            "disabled",
            "disabled_access",
            "ada",
            "♿",
            "pmr",
            "rollstuhl",
            "rollstuhlplatz",
            "rollstuhlplätze",
            "rollstuhlfahrer",
            "barrierefrei",
            "fauteuil_roulant",
            "silla_de_ruedas",
            "rolstoel",
        ],
    ),
    (
        SeatFlag::Companion,
        &["companion", "is_companion", "companion_seat", "carer", "begleitperson", "begleitung", "begleitplatz"],
    ),
    (
        SeatFlag::RestrictedView,
        &[
            "restricted_view",
            "is_restricted_view",
            "restricted",
            "obstructed_view",
            "obstructed",
            "limited_view",
            "restrictedview",
            "sichtbehindert",
            "sichteinschränkung",
            "eingeschränkte_sicht",
        ],
    ),
];

/// A name or a word in small letters, with `_` for blanks and hyphens.
pub(super) fn normalised(text: &str) -> String {
    let folded = crate::text::folded(text);
    folded
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '_'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// The flag that a word means.
pub(super) fn flag(word: &str) -> Option<SeatFlag> {
    let word = normalised(word);
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(flag, _)| *flag)
}

/// The flag that a name says somewhere, e.g. a category `Wheelchair spaces (left)`.
pub(super) fn flag_within(name: &str) -> Option<SeatFlag> {
    let name = crate::text::folded(name);
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if says(&["companion", "begleit", "carer"]) {
        Some(SeatFlag::Companion)
    } else if says(&["wheelchair", "rollstuhl", "rolstoel", "♿", "fauteuil roulant", "silla de ruedas"]) {
        Some(SeatFlag::Accessible)
    } else {
        None
    }
}

/// True and false as people write them; none for anything else.
pub(super) fn truth(text: &str) -> Option<bool> {
    match normalised(text).as_str() {
        "1" | "true" | "yes" | "y" | "x" | "ja" | "j" | "oui" | "si" | "sí" | "wahr" | "✓" | "✔" => Some(true),
        "" | "0" | "false" | "no" | "n" | "nein" | "non" | "none" | "null" | "falsch" => Some(false),
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

/// Marks a seat whose names say that it is for wheelchairs or companions; said so, since the file does not mark the seat itself.
pub(super) fn by_names(at: impl FnOnce() -> String, seat: &mut Seat, names: &[&str], findings: &mut Findings) {
    if !seat.flags.is_empty() {
        return;
    }
    if let Some((flag, name)) = names.iter().find_map(|name| flag_within(name).map(|flag| (flag, name))) {
        seat.flags.push(flag);
        findings.each(at, FindingKind::Assumed, &format!("marked {}, since `{name}` says so", flag.as_str()));
    }
}
