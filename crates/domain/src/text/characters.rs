//! Classifies characters for the cleaning rule: visible, blank, control, invisible, and whether an invisible character is needed where it stands.
//!
//! To allow another invisible character: a line in [`is_needed`] and a row in `tests`.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

pub(super) fn is_visible(c: char) -> bool {
    !is_blank(c) && !c.is_control() && !is_invisible(c)
}

pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

pub(super) const fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters that are not blanks.
pub(super) fn is_plain_control(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
}

/// Refused even at the ends of a text: controls, reversing characters, and code points that are no characters.
pub(super) fn is_refused_anywhere(c: char) -> bool {
    let number = u32::from(c);
    let no_character = number & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&number);
    is_plain_control(c) || is_reversing(c) || matches!(c, '\u{fff9}'..='\u{fffb}') || no_character
}

/// True for the overrides that reverse the order in which letters are read.
#[must_use]
pub const fn is_reversing(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

/// True for Unicode's `Default_Ignorable_Code_Point`: nothing is drawn for them.
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

/// True where an invisible character changes how its neighbours are drawn.
pub(super) fn is_needed(before: Option<char>, c: char, after: Option<char>, right_to_left: bool) -> bool {
    let Some(before) = before else { return false };
    match c {
        // Joiners: Persian, Indic scripts, Sinhala, emoji.
        '\u{200c}' | '\u{200d}' => is_joinable(before) && after.is_some_and(is_joinable),
        // Direction marks.
        '\u{200e}' | '\u{200f}' | '\u{61c}' => right_to_left,
        // Variation selectors of emoji and letters; a keycap has a digit before.
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

/// True for letters and marks of joining scripts, and for the parts of emoji.
fn is_joinable(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Symbol};
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
        || c >= '\u{590}'
            && !matches!(c, '\u{1e00}'..='\u{1fff}')
            && matches!(c.general_category_group(), Letter | Mark | Symbol)
}

pub(super) const fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
    ) && c != '\u{61c}'
}

/// Control characters, zero-width characters, direction marks and the byte order mark: what keyboards, scanners and programs add to a code unseen.
#[must_use]
pub fn is_control_or_zero_width(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
