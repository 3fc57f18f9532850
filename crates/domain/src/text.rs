//! Applies the one rule for text that people type: one line, trimmed, NFC, without invisible characters that no script or emoji needs.
//!
//! Never: a text that is stored or compared without passing here. To allow another invisible character: a line in [`is_needed`] and a row in `tests`.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::skeleton;

use crate::refusal::Refusal;

#[cfg(test)]
mod tests;

/// Of a text that another system sent, so many times the characters that are kept are looked at.
const FOREIGN_HEAD: usize = 4;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing of it can be seen.
    Empty,
    /// It has a line break or another control character.
    Control,
    /// It has an invisible character that nothing in it needs.
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
                format!("Must not contain U+{:04X}, a character that cannot be seen.", u32::from(character))
            }
        }
    }
}

/// The text as it is stored: trimmed of blanks and invisible characters, each blank an ordinary one, NFC.
///
/// # Errors
/// [`TextFault`] where nothing is left, or where an inner character is refused.
pub fn clean(text: &str) -> Result<String, TextFault> {
    // Most texts are plain ASCII, and plans have hundreds of thousands of them.
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

/// A text of one line with 1 to `max` characters, as it is stored.
///
/// # Errors
/// `invalid_request` for `field`, a path such as `areas[0].name`.
pub fn line(field: impl Into<String>, text: &str, max: usize) -> Result<String, Refusal> {
    match clean(text) {
        Ok(clean) if clean.chars().count() > max => {
            Err(Refusal::invalid(field, format!("Must have at most {max} characters.")))
        }
        Ok(clean) => Ok(clean),
        Err(fault) => Err(Refusal::invalid(field, fault.detail())),
    }
}

/// A text of one line that may be empty, e.g. a reason.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn optional_line(field: impl Into<String>, text: &str, max: usize) -> Result<String, Refusal> {
    match clean(text) {
        Err(TextFault::Empty) => Ok(String::new()),
        _ => line(field, text, max),
    }
}

/// A text of several lines that may be empty, e.g. an address: each line is cleaned, blank ones at the ends are dropped.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn lines(field: impl Into<String>, text: &str, max: usize) -> Result<String, Refusal> {
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

/// A text out of a file without what [`clean`] would refuse: inner line breaks become blanks, invisible characters that nothing needs are dropped.
/// True where a person would miss something of it.
#[must_use]
pub fn repaired(text: &str) -> (String, bool) {
    if let Ok(clean) = clean(text) {
        return (clean, false);
    }
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        if is_line_break(character) {
            // A line break is one blank, however it is written.
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

/// A text that another system sent, as it is stored: [`repaired`], and cut to `max` characters instead of refused.
#[must_use]
pub fn foreign(text: &str, max: usize) -> String {
    // Much more than is kept is not looked at.
    let head: String = text.chars().take(max.saturating_mul(FOREIGN_HEAD)).collect();
    repaired(&head).0.chars().take(max).collect()
}

/// The key by which names are compared: without case and without compatibility forms.
#[must_use]
pub fn folded(text: &str) -> String {
    let compatible = text.trim().nfkc().filter(|c| !is_invisible(*c));
    compatible.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// The key by which codes that buyers type are compared: [`folded`], without blanks, and with characters that look the same made one.
#[must_use]
pub fn code_key(text: &str) -> String {
    let folded: String = folded(text).chars().filter(|c| !is_blank(*c) && !c.is_control()).collect();
    look(&folded)
}

/// True where one code could be taken for the other, in small or in capital letters.
#[must_use]
pub fn looks_alike(one: &str, other: &str) -> bool {
    let capital = |text: &str| look(&folded(text).to_uppercase());
    code_key(one) == code_key(other) || capital(one) == capital(other)
}

/// What a text looks like. The capital `I` looks like `l` and `1`; codes have no case, so `i` is one of these too.
fn look(text: &str) -> String {
    let alike: String = skeleton(text).flat_map(char::to_lowercase).collect();
    skeleton(&alike).flat_map(char::to_lowercase).map(|c| if c == 'i' { 'l' } else { c }).collect()
}

/// True where a string has the character that Postgres cannot store.
#[must_use]
pub fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

fn is_visible(c: char) -> bool {
    !is_blank(c) && !c.is_control() && !is_invisible(c)
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

const fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters that are not blanks.
fn is_plain_control(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
}

/// Refused even at the ends: controls, what reverses the reading order, and what is no character.
fn is_refused_anywhere(c: char) -> bool {
    let number = u32::from(c);
    let no_character = number & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&number);
    is_plain_control(c) || is_reversing(c) || matches!(c, '\u{fff9}'..='\u{fffb}') || no_character
}

/// True for what reverses the order in which letters are read.
#[must_use]
pub const fn is_reversing(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

/// Unicode's `Default_Ignorable_Code_Point`: nothing is drawn for them.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether an invisible character has an effect between these neighbours.
fn is_needed(before: Option<char>, c: char, after: Option<char>, right_to_left: bool) -> bool {
    let Some(before) = before else { return false };
    match c {
        // Joiners: Persian, Indic scripts, Sinhala, emoji.
        '\u{200c}' | '\u{200d}' => is_joinable(before) && after.is_some_and(is_joinable),
        // Direction marks.
        '\u{200e}' | '\u{200f}' | '\u{61c}' => right_to_left,
        // How an emoji or a letter is drawn; keycaps have a digit before.
        '\u{fe00}'..='\u{fe0f}' => {
            is_visible(before) && !before.is_ascii()
                || after == Some('\u{20e3}') && (before.is_ascii_digit() || matches!(before, '#' | '*'))
        }
        '\u{e0100}'..='\u{e01ef}' => before >= '\u{3400}',
        // Flags of regions.
        '\u{e0020}'..='\u{e007f}' => matches!(before, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        '\u{17b4}' | '\u{17b5}' => matches!(before, '\u{1780}'..='\u{17b3}'),
        '\u{115f}' | '\u{1160}' => {
            matches!(before, '\u{1100}'..='\u{11ff}') || matches!(after, Some('\u{1100}'..='\u{11ff}'))
        }
        _ => false,
    }
}

/// Letters and marks of scripts that join, and what emoji consist of.
fn is_joinable(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Symbol};
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
        || c >= '\u{590}'
            && !matches!(c, '\u{1e00}'..='\u{1fff}')
            && matches!(c.general_category_group(), Letter | Mark | Symbol)
}

const fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
    ) && c != '\u{61c}'
}
