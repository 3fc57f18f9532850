//! Names, labels and codes of the catalogue, by the one rule for typed text.
//!
//! Never: a text from outside in a value of the catalogue without passing here. To add a kind of text: call [`worded`] with its field and limit.

use crate::refusal::Refusal;
use crate::text;

/// `text` as it is stored, of 1 to `most` characters.
///
/// # Errors
/// `invalid_request` for `field`, a path such as `areas[0].name`.
pub fn worded(field: impl Into<String>, text: &str, most: usize) -> Result<String, Refusal> {
    text::line(field, text, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_bounded() {
        let rows: &[(&str, Result<&str, &str>)] = &[
            ("Balcony", Ok("Balcony")),
            ("  Balcony\t", Ok("Balcony")),
            ("Rang Ä–Ω", Ok("Rang Ä–Ω")),
            ("ÄÄÄÄÄÄÄÄ", Ok("ÄÄÄÄÄÄÄÄ")),
            ("ÄÄÄÄÄÄÄÄÄ", Err("Must have at most 8 characters.")),
            ("Su\u{308}d", Ok("Süd")),
            ("", Err("Must not be empty.")),
            (" \n ", Err("Must not be empty.")),
            ("\u{200b}", Err("Must not be empty.")),
            ("a\nb", Err("Must not contain control characters.")),
            ("a\u{0}b", Err("Must not contain control characters.")),
        ];
        for (text, expected) in rows {
            match (worded("name", text, 8), expected) {
                (Ok(got), Ok(wanted)) => assert_eq!(got, *wanted),
                (Err(refusal), Err(detail)) => {
                    assert_eq!(refusal.detail, *detail, "{text:?}");
                    assert_eq!(refusal.evidence.field.as_deref(), Some("name"));
                }
                (got, wanted) => panic!("{text:?}: {got:?} instead of {wanted:?}"),
            }
        }
    }
}
