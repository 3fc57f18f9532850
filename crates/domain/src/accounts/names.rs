//! Checks display names and URL slugs of organizations, members, venues, gates and keys, and returns them as they are stored.
//!
//! Never: a second spelling of one slug, or a name with invisible or reversing characters. To add a kind of name: a function and its table test.

use crate::refusal::Refusal;
use crate::text;

/// Characters of a display name.
pub const NAME_CHARS_MAX: usize = 120;
/// Characters of a slug; the minimum is 2.
pub const SLUG_CHARS_MAX: usize = 40;

/// A display name of one line with 1 to [`NAME_CHARS_MAX`] characters.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn display_name(field: &str, text: &str) -> Result<String, Refusal> {
    text::single_line(field, text, NAME_CHARS_MAX)
}

/// A slug (the name in URLs): 2 to [`SLUG_CHARS_MAX`] of `a-z`, `0-9` and single inner hyphens.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn slug(field: &str, text: &str) -> Result<String, Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (2..=SLUG_CHARS_MAX).contains(&text.len());
    let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
    if !fits || hyphens || !text.bytes().all(plain) {
        let detail = format!("Must have 2 to {SLUG_CHARS_MAX} of a-z, 0-9 and single hyphens between them.");
        return Err(Refusal::invalid(field, detail));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{NAME_CHARS_MAX, SLUG_CHARS_MAX, display_name, slug};
    use crate::accounts::text_checks::check;

    #[test]
    fn display_names_are_cleaned_and_limited() {
        let longest = "é".repeat(NAME_CHARS_MAX);
        let longer = "é".repeat(NAME_CHARS_MAX + 1);
        for (text, expected) in [
            ("Concertgebouw", Some("Concertgebouw")),
            ("  Ann Ó Briain \n", Some("Ann Ó Briain")),
            ("劇場", Some("劇場")),
            (&longest, Some(longest.as_str())),
            (&longer, None),
            ("", None),
            ("   ", None),
            ("two\nlines", None),
            ("nul\0", None),
            ("right\u{202e}left", None),
            ("\u{feff}mark", Some("mark")),
            ("zero\u{200b}width", None),
            ("\u{200b}", None),
            ("می\u{200c}خواهم", Some("می\u{200c}خواهم")),
            ("Ju\u{308}rgen", Some("Jürgen")),
        ] {
            check(display_name("it", text), expected, text);
        }
    }

    #[test]
    fn slugs_are_lower_case_ascii_with_single_inner_hyphens() {
        let longest = "a".repeat(SLUG_CHARS_MAX);
        let longer = "a".repeat(SLUG_CHARS_MAX + 1);
        for (text, fits) in [
            ("ab", true),
            ("royal-hall-2", true),
            ("2-be", true),
            (longest.as_str(), true),
            (longer.as_str(), false),
            ("a", false),
            ("", false),
            ("-ab", false),
            ("ab-", false),
            ("a--b", false),
            ("Ab", false),
            ("a b", false),
            (" ab", false),
            ("a_b", false),
            ("é1", false),
            ("a/b", false),
        ] {
            check(slug("it", text), fits.then_some(text), text);
        }
    }
}
