//! What organizations and people are called: names, names in URLs, e-mail addresses.
//!
//! Never: a second spelling of one address or slug, or a text that plays tricks with who reads it. To add a field: a function and its table.

use crate::refusal::Refusal;

/// The longest name, in characters.
pub const NAME_MOST: usize = 120;
/// The longest slug, in characters; the shortest is 2.
pub const SLUG_MOST: usize = 40;
/// The longest e-mail address, in bytes (RFC 5321: a path of 256 with its brackets).
pub const EMAIL_MOST: usize = 254;

/// A name: trimmed, 1 to [`NAME_MOST`] characters, no control characters.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn name(field: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > NAME_MOST {
        return Err(Refusal::invalid(field, format!("Must have 1 to {NAME_MOST} characters.")));
    }
    if text.chars().any(is_deceptive) {
        return Err(Refusal::invalid(field, "Must be one line of plain characters."));
    }
    Ok(text.to_owned())
}

/// A name in URLs: 2 to [`SLUG_MOST`] of `a-z`, `0-9` and single inner hyphens.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn slug(field: &str, text: &str) -> Result<String, Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (2..=SLUG_MOST).contains(&text.len());
    let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
    if !fits || hyphens || !text.bytes().all(plain) {
        let detail = format!("Must have 2 to {SLUG_MOST} of a-z, 0-9 and single hyphens between them.");
        return Err(Refusal::invalid(field, detail));
    }
    Ok(text.to_owned())
}

/// An e-mail address that could exist, trimmed and in lower case, so that one person has one login. Whether it does exist, only a mail can tell.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn email(field: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim().to_lowercase();
    let whole = text.len() <= EMAIL_MOST && !text.chars().any(|c| c.is_whitespace() || is_deceptive(c));
    match text.rsplit_once('@') {
        Some((local, domain)) if whole && is_local(local) && is_domain(domain) => Ok(text),
        _ => Err(Refusal::invalid(field, "Must be an e-mail address such as ann@example.org.")),
    }
}

/// The part before the `@`: dotted runs of the characters that need no quotes; letters of any script.
fn is_local(local: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= 64 && local.split('.').all(|run| !run.is_empty() && run.chars().all(plain))
}

/// The part after it: at least two labels; letters of any script.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        let inner = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

/// Control characters, line breaks, and what reverses or hides text.
const fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::{EMAIL_MOST, NAME_MOST, SLUG_MOST, email, name, slug};
    use crate::refusal::{Code, Refusal};

    fn check(got: Result<String, Refusal>, expected: Option<&str>, text: &str) {
        match (got, expected) {
            (Ok(got), Some(expected)) => assert_eq!(got, expected, "{text:?}"),
            (Err(refusal), None) => {
                assert_eq!(refusal.code, Code::InvalidRequest);
                assert_eq!(refusal.evidence.field.as_deref(), Some("it"), "{text:?}");
            }
            (got, expected) => panic!("{text:?}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn names() {
        let longest = "é".repeat(NAME_MOST);
        let longer = "é".repeat(NAME_MOST + 1);
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
            ("\u{feff}mark", None),
            ("zero\u{200b}width", None),
        ] {
            check(name("it", text), expected, text);
        }
    }

    #[test]
    fn slugs() {
        let longest = "a".repeat(SLUG_MOST);
        let longer = "a".repeat(SLUG_MOST + 1);
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

    #[test]
    fn emails() {
        let label = "d".repeat(63);
        let long = |last: usize| format!("{}@{label}.{label}.{}.org", "l".repeat(64), "e".repeat(last));
        let (longest, longer) = (long(57), long(58));
        assert_eq!(longest.len(), EMAIL_MOST);
        let long_local = format!("{}@example.org", "l".repeat(65));
        for (text, expected) in [
            ("ann@example.org", Some("ann@example.org")),
            (" Ann.B+tickets@Example.ORG ", Some("ann.b+tickets@example.org")),
            ("o'hara@mail.example.co.za", Some("o'hara@mail.example.co.za")),
            ("jürgen@müller.example", Some("jürgen@müller.example")),
            (longest.as_str(), Some(longest.as_str())),
            (longer.as_str(), None),
            (long_local.as_str(), None),
            ("", None),
            ("ann", None),
            ("@example.org", None),
            ("ann@", None),
            ("ann@localhost", None),
            ("ann@.org", None),
            ("ann@example.", None),
            ("ann@-example.org", None),
            ("ann@example-.org", None),
            ("ann@exam ple.org", None),
            ("a nn@example.org", None),
            ("ann@b@example.org", None),
            (".ann@example.org", None),
            ("an..n@example.org", None),
            ("\"ann\"@example.org", None),
            ("ann@example.org\r\nbcc: x@example.org", None),
            ("ann@example.org,bob@example.org", None),
            ("<ann@example.org>", None),
            ("ann\u{202e}@example.org", None),
        ] {
            check(email("it", text), expected, text);
        }
    }
}
