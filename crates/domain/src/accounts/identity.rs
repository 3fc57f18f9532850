//! What organizations and people are called: names, names in URLs, e-mail addresses.
//!
//! Never: a second spelling of one address or slug, or a text that plays tricks with who reads it. To add a field: a function and its table.

use crate::refusal::Refusal;
use crate::text;

/// The longest name, in characters.
pub const NAME_MOST: usize = 120;
/// The longest slug, in characters; the shortest is 2.
pub const SLUG_MOST: usize = 40;
/// The longest e-mail address, in bytes (RFC 5321: a path of 256 with its brackets).
pub const EMAIL_MOST: usize = 254;

/// A name by the rule for typed text, of 1 to [`NAME_MOST`] characters.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn name(field: &str, text: &str) -> Result<String, Refusal> {
    text::line(field, text, NAME_MOST)
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

/// The key by which addresses are compared: [`email_address`] in lower case, so that one person has one login.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn email(field: &str, text: &str) -> Result<String, Refusal> {
    Ok(email_address(field, text)?.to_lowercase())
}

/// The key of whatever somebody typed as an address: [`email`] where it is one. Anything else has a key that no address has, so that wrong logins with
/// it are counted and find nobody.
#[must_use]
pub fn email_key(text: &str) -> String {
    email("email", text).unwrap_or_else(|_| {
        let kept: String = text::folded(text).chars().filter(|c| !c.is_control()).take(EMAIL_MOST).collect();
        format!("not an address: {kept}")
    })
}

/// An e-mail address of any script that a mail server may accept, as it is stored: without surrounding blanks and invisible characters, NFC, its domain
/// as IDNA writes it in Unicode. Whether it does exist, only a mail can tell.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn email_address(field: &str, text: &str) -> Result<String, Refusal> {
    let refused = || Refusal::invalid(field, "Must be an e-mail address such as ann@example.org.");
    let bare = text.trim_matches(|c: char| c.is_whitespace() || text::is_invisible(c) && !text::is_reversing(c));
    let clean = text::clean(bare).map_err(|_| refused())?;
    let (local, domain) = clean.rsplit_once('@').ok_or_else(refused)?;
    // Blanks would need quotes around the local part, which hardly any server takes.
    if clean.contains([' ', '"']) {
        return Err(refused());
    }
    let (domain, valid) = idna::domain_to_unicode(domain);
    valid.map_err(|_| refused())?;
    let address = format!("{local}@{domain}");
    let options = email_address::Options::default().with_required_tld().without_domain_literal().without_display_text();
    let accepted = email_address::EmailAddress::parse_with_options(&address, options).is_ok();
    (accepted && address.len() <= EMAIL_MOST && is_domain(&domain)).then_some(address).ok_or_else(refused)
}

/// Labels of hosts: no hyphens at their ends, nothing but letters, marks, digits and hyphens of any script.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        let inner = label.chars().all(|c| c == '-' || !c.is_ascii() || c.is_ascii_alphanumeric());
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{EMAIL_MOST, NAME_MOST, SLUG_MOST, email, email_address, email_key, name, slug};
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
            ("\u{feff}mark", Some("mark")),
            ("zero\u{200b}width", None),
            ("\u{200b}", None),
            ("می\u{200c}خواهم", Some("می\u{200c}خواهم")),
            ("Ju\u{308}rgen", Some("Jürgen")),
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
            ("ju\u{308}rgen@xn--mller-kva.example", Some("jürgen@müller.example")),
            ("अजय@डाटा.भारत", Some("अजय@डाटा.भारत")),
            ("ผู้ใช้@ตัวอย่าง.ไทย", Some("ผู้ใช้@ตัวอย่าง.ไทย")),
            ("用户@例子.广告", Some("用户@例子.广告")),
            ("δοκιμή@παράδειγμα.δοκιμή", Some("δοκιμή@παράδειγμα.δοκιμή")),
            ("Dörte@Sörensen.example.com", Some("dörte@sörensen.example.com")),
            ("ann@example.org\u{200b}\r\n", Some("ann@example.org")),
            ("\u{202a}ann@example.org\u{202c}", Some("ann@example.org")),
            ("ann@ｅｘａｍｐｌｅ.org", Some("ann@example.org")),
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
            check(email("it", text), expected, text);
        }
    }

    #[test]
    fn every_spelling_of_an_address_has_one_key() {
        for text in [
            "victim@example.org",
            " VICTIM@Example.ORG\r\n",
            "victim@ｅxample.org",
            "victim@example。org",
            "\u{feff}victim@example.org\u{200b}",
            "victim@EXAMPLE.ORG",
        ] {
            assert_eq!(email_key(text), "victim@example.org", "{text:?}");
        }
        for text in ["", "victim", "victim@localhost", "victim@example.org\0", "victim＠example.org"] {
            let key = email_key(text);
            assert!(email("it", &key).is_err() && !key.contains('\0'), "{text:?}");
        }
        assert_eq!(email_key(" Victim "), email_key("victim"));
        assert_ne!(email_key("victim1"), email_key("victim2"));
    }

    #[test]
    fn a_stored_address_keeps_the_case_of_its_local_part() {
        check(email_address("it", " Ann.B@Example.ORG "), Some("Ann.B@example.org"), "");
    }
}
