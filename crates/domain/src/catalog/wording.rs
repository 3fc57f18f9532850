//! Names, labels and codes that people give: trimmed, of a bounded length, without control characters.
//!
//! Never: a text from outside in a value of the catalogue without passing here. To add a kind of text: call [`worded`] with its field and limit.

use crate::refusal::Refusal;

/// `text` without surrounding space, of 1 to `most` characters.
///
/// # Errors
/// `invalid_request` for `field`, a path such as `areas[0].name`.
pub fn worded(field: impl Into<String>, text: &str, most: usize) -> Result<String, Refusal> {
    let trimmed = text.trim();
    let fault = if trimmed.is_empty() {
        "Must not be empty.".to_owned()
    } else if trimmed.chars().count() > most {
        format!("Must have at most {most} characters.")
    } else if trimmed.chars().any(char::is_control) {
        "Must not contain control characters.".to_owned()
    } else {
        return Ok(trimmed.to_owned());
    };
    Err(Refusal::invalid(field, fault))
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
            ("", Err("Must not be empty.")),
            (" \n ", Err("Must not be empty.")),
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
