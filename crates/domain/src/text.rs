//! Cleans text from people, files and other systems: one line, trimmed, NFC, without control characters and needless invisible characters.
//!
//! Never: a text that is stored or compared without passing here.

use unicode_normalization::UnicodeNormalization;

use crate::refusal::Refusal;

mod characters;
mod comparison_keys;
#[cfg(test)]
mod tests;

use characters::{
    is_blank, is_line_break, is_needed, is_plain_control, is_refused_anywhere, is_right_to_left, is_visible,
};
pub use characters::{is_control_or_zero_width, is_invisible, is_reversing};
pub use comparison_keys::{folded, looks_alike, promo_code_key};

/// [`repair_and_truncate`] reads at most this many times the characters that it keeps.
const TRUNCATED_READ_FACTOR: usize = 4;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing of the text is visible.
    Empty,
    /// A line break or another control character.
    Control,
    /// An invisible character without effect on its neighbours.
    Invisible(char),
}

impl TextFault {
    /// The sentence for a person.
    #[must_use]
    pub fn detail(self) -> String {
        match self {
            Self::Empty => "Must not be empty.".to_owned(),
            Self::Control => "Must not contain control characters.".to_owned(),
            Self::Invisible(character) => {
                format!("Must not contain U+{:04X}, an invisible character.", u32::from(character))
            }
        }
    }
}

/// The stored form of a text: trimmed of blanks and invisible characters, every blank an ordinary space, NFC.
///
/// # Errors
/// [`TextFault`] where nothing visible is left, or where an inner character is refused.
pub fn clean(text: &str) -> Result<String, TextFault> {
    // Fast path: most texts are plain ASCII, and a seating plan has hundreds of thousands of texts.
    let trimmed = text.trim_matches(' ');
    if !trimmed.is_empty() && trimmed.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(trimmed.to_owned());
    }
    let characters: Vec<char> = text.chars().collect();
    let first = characters.iter().position(|c| is_visible(*c)).ok_or(TextFault::Empty);
    if let Some(refused) = characters.iter().find(|c| is_refused_anywhere(**c)) {
        return Err(if is_plain_control(*refused) { TextFault::Control } else { TextFault::Invisible(*refused) });
    }
    let first = first?;
    let last = characters.iter().rposition(|c| is_visible(*c)).unwrap_or(first);
    let right_to_left = characters.iter().any(|c| is_right_to_left(*c));
    let mut kept: Vec<char> = Vec::with_capacity(characters.len() - first);
    for (at, &character) in characters.iter().enumerate().skip(first) {
        let needed = || is_needed(kept.last().copied(), character, characters.get(at + 1).copied(), right_to_left);
        if is_visible(character) || is_invisible(character) && needed() {
            kept.push(character);
        } else if at > last {
            break;
        } else if is_line_break(character) {
            return Err(TextFault::Control);
        } else if is_blank(character) {
            kept.push(' ');
        } else {
            return Err(TextFault::Invisible(character));
        }
    }
    Ok(kept.into_iter().nfc().collect())
}

/// The stored form of one line with 1 to `max` characters.
///
/// # Errors
/// `invalid_request` for `field`, a path such as `areas[0].name`.
pub fn single_line(field: impl Into<String>, text: &str, max: usize) -> Result<String, Refusal> {
    match clean(text) {
        Ok(clean) if clean.chars().count() > max => {
            Err(Refusal::invalid(field, format!("Must have at most {max} characters.")))
        }
        Ok(clean) => Ok(clean),
        Err(fault) => Err(Refusal::invalid(field, fault.detail())),
    }
}

/// The stored form of one line that may be empty, e.g. a reason.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn optional_line(field: impl Into<String>, text: &str, max: usize) -> Result<String, Refusal> {
    match clean(text) {
        Err(TextFault::Empty) => Ok(String::new()),
        _ => single_line(field, text, max),
    }
}

/// The stored form of several lines that may be empty, e.g. an address: each line is cleaned, blank lines at the ends are dropped.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn multi_line(field: impl Into<String>, text: &str, max: usize) -> Result<String, Refusal> {
    let field = field.into();
    let joined = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let cleaned: Vec<String> =
        joined.split('\n').map(|part| optional_line(field.clone(), part, max)).collect::<Result<_, _>>()?;
    let cleaned = cleaned.join("\n").trim().to_owned();
    if cleaned.chars().count() > max {
        return Err(Refusal::invalid(field, format!("Must have at most {max} characters.")));
    }
    Ok(cleaned)
}

/// The stored form of a text without the characters that [`clean`] would refuse: inner line breaks become spaces, needless invisible characters are
/// dropped. The flag is true where the text was changed by that.
#[must_use]
pub fn repair(text: &str) -> (String, bool) {
    if let Ok(clean) = clean(text) {
        return (clean, false);
    }
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        if is_line_break(character) {
            // CR LF is one line break.
            if !kept.ends_with(' ') {
                kept.push(' ');
            }
        } else if !is_plain_control(character) && !is_invisible(character) {
            kept.push(character);
        }
    }
    let cleaned = clean(&kept).unwrap_or_default();
    let changed = !cleaned.is_empty() || text.chars().any(is_visible);
    (cleaned, changed)
}

/// The stored form of a text from another system, which is never refused: [`repair`]ed and truncated to `max` characters.
#[must_use]
pub fn repair_and_truncate(text: &str, max: usize) -> String {
    // Bounds the work for a text of any length.
    let head: String = text.chars().take(max.saturating_mul(TRUNCATED_READ_FACTOR)).collect();
    repair(&head).0.chars().take(max).collect()
}

/// True where a string has U+0000, which Postgres cannot store.
#[must_use]
pub fn has_nul(text: &str) -> bool {
    text.contains('\0')
}
