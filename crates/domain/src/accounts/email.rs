//! Checks e-mail addresses of any script and returns the stored form, the lower-case form, or a key to count attempts by.
//!
//! Never: two keys for two spellings of one address, or an address with invisible or reversing characters.

use crate::refusal::Refusal;
use crate::text;

/// Bytes of an e-mail address (RFC 5321: a path of 256 with its brackets).
pub const EMAIL_BYTES_MAX: usize = 254;

/// The [`stored_address`] in lower case: addresses are compared by this form, so that one person has one login.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn lowercase_address(field: &str, text: &str) -> Result<String, Refusal> {
    Ok(stored_address(field, text)?.to_lowercase())
}

/// The key to count attempts by, for any typed text: the [`lowercase_address`] where the text is an address. Any other text has a key of its own, so that its
/// failed logins are counted.
#[must_use]
pub fn counting_key(text: &str) -> String {
    lowercase_address("email", text).unwrap_or_else(|_| {
        let kept: String = text::folded(text).chars().filter(|c| !c.is_control()).take(EMAIL_BYTES_MAX).collect();
        format!("not an address: {kept}")
    })
}

/// An e-mail address of any script in its stored form: trimmed of blanks and invisible characters, NFC, with the domain in IDNA's Unicode form. Does not
/// check that the mailbox exists.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn stored_address(field: &str, text: &str) -> Result<String, Refusal> {
    let refused = || Refusal::invalid(field, "Must be an e-mail address such as ann@example.org.");
    let bare = text.trim_matches(|c: char| c.is_whitespace() || text::is_invisible(c) && !text::is_reversing(c));
    let clean = text::clean(bare).map_err(|_| refused())?;
    let (local, domain) = clean.rsplit_once('@').ok_or_else(refused)?;
    // Blanks would need quotes around the local part, which almost no mail server accepts.
    if clean.contains([' ', '"']) {
        return Err(refused());
    }
    let (domain, valid) = idna::domain_to_unicode(domain);
    valid.map_err(|_| refused())?;
    let address = format!("{local}@{domain}");
    let options = email_address::Options::default().with_required_tld().without_domain_literal().without_display_text();
    let accepted = email_address::EmailAddress::parse_with_options(&address, options).is_ok();
    (accepted && address.len() <= EMAIL_BYTES_MAX && is_domain(&domain)).then_some(address).ok_or_else(refused)
}

/// True for dot-separated host labels of letters, marks, digits and inner hyphens of any script.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        let inner = label.chars().all(|c| c == '-' || !c.is_ascii() || c.is_ascii_alphanumeric());
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{EMAIL_BYTES_MAX, counting_key, lowercase_address, stored_address};
    use crate::accounts::text_checks::check;

    #[test]
    fn addresses_of_any_script_are_normalized_or_refused() {
        let label = "d".repeat(63);
        let long = |last: usize| format!("{}@{label}.{label}.{}.org", "l".repeat(64), "e".repeat(last));
        let (longest, longer) = (long(57), long(58));
        assert_eq!(longest.len(), EMAIL_BYTES_MAX);
        let long_local = format!("{}@example.org", "l".repeat(65));
        for (text, expected) in [
            ("ann@example.org", Some("ann@example.org")),
            (" Ann.B+tickets@Example.ORG ", Some("ann.b+tickets@example.org")),
            ("o'hara@mail.example.co.za", Some("o'hara@mail.example.co.za")),
            ("jürgen@müller.example", Some("jürgen@müller.example")),
            ("ju\u{308}rgen@xn--mller-kva.example", Some("jürgen@müller.example")),
            ("अजय@डाटा.भारत", Some("अजय@डाटा.भारत")),
            ("ผู้ใช้@ตัวอย่าง.ไทย", Some("ผู้ใช้@ตัวอย่าง.ไทย")),
            ("用户@例子.广告", Some("用户@例子.广告")),
            ("δοκιμή@παράδειγμα.δοκιμή", Some("δοκιμή@παράδειγμα.δοκιμή")),
            ("Dörte@Sörensen.example.com", Some("dörte@sörensen.example.com")),
            ("ann@example.org\u{200b}\r\n", Some("ann@example.org")),
            ("\u{202a}ann@example.org\u{202c}", Some("ann@example.org")),
            ("ann@ｅｘａｍｐｌｅ.org", Some("ann@example.org")),
            ("דנה@example.org\u{200f}", Some("דנה@example.org")),
            ("\u{202e}ann@example.org", None),
            ("ann@example.org\u{202e}", None),
            ("ann@example.org\0", None),
            ("ann@[127.0.0.1]", None),
            ("Ann <ann@example.org>", None),
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
            check(lowercase_address("it", text), expected, text);
        }
    }

    #[test]
    fn every_spelling_of_an_address_has_one_counting_key() {
        for text in [
            "victim@example.org",
            " VICTIM@Example.ORG\r\n",
            "victim@ｅxample.org",
            "victim@example。org",
            "\u{feff}victim@example.org\u{200b}",
            "victim@EXAMPLE.ORG",
        ] {
            assert_eq!(counting_key(text), "victim@example.org", "{text:?}");
        }
        for text in ["", "victim", "victim@localhost", "victim@example.org\0", "victim＠example.org"] {
            let key = counting_key(text);
            assert!(lowercase_address("it", &key).is_err() && !key.contains('\0'), "{text:?}");
        }
        assert_eq!(counting_key(" Victim "), counting_key("victim"));
        assert_ne!(counting_key("victim1"), counting_key("victim2"));
    }

    #[test]
    fn stored_address_keeps_the_case_of_its_local_part() {
        check(stored_address("it", " Ann.B@Example.ORG "), Some("Ann.B@example.org"), "");
    }
}
