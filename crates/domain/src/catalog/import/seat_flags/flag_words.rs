//! Parses a single cell, field or word, in many languages: which seat flag it names, or whether it means yes or no.

use super::vocabulary::{FLAG_WORDS, WORD_ENDINGS};
use crate::catalog::layout::SeatFlag;

/// A name or a word in lower case, with `_` for blanks and hyphens.
pub(in super::super) fn normalized(text: &str) -> String {
    let folded = crate::text::folded(text);
    folded
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '_'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// The flag that a word means, with any separators: `wheelchair-space`, `WheelchairSpaces`, `W/C`.
pub(in super::super) fn flag_of_word(word: &str) -> Option<SeatFlag> {
    let joined = |text: &str| text.chars().filter(|c| *c != '_').collect::<String>();
    let word = joined(&normalized(word));
    let known = |word: &str| {
        let is_word = |known: &&str| known.chars().filter(|c| *c != '_').eq(word.chars());
        FLAG_WORDS.iter().find(|(_, words)| words.iter().any(is_word)).map(|(flag, _)| *flag)
    };
    known(&word).or_else(|| WORD_ENDINGS.iter().find_map(|end| known(word.strip_suffix(end)?)))
}

/// Parses yes and no in several languages; `None` for any other text.
pub(in super::super) fn parse_bool(text: &str) -> Option<bool> {
    match normalized(text).as_str() {
        "1" | "true" | "yes" | "y" | "x" | "t" | "on" | "ja" | "j" | "oui" | "si" | "sí" | "sim" | "wahr" | "vrai"
        | "✓" | "✔" => Some(true),
        "" | "0" | "false" | "no" | "n" | "f" | "off" | "not" | "nein" | "non" | "nee" | "não" | "none" | "null"
        | "nil" | "kein" | "keine" | "geen" | "falsch" | "faux" | "–" | "—" | "✗" | "✘" => Some(false),
        _ => None,
    }
}
