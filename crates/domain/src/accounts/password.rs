//! Which passwords are taken: long ones; nothing about digits or signs, which make passwords worse.
//!
//! Never: a password that is cut, trimmed or changed before it is hashed. To add a rule: a check here and its row in the table.

use crate::refusal::Refusal;

/// The fewest characters.
pub const PASSWORD_LEAST: usize = 12;
/// The most characters, so that hashing cannot be made to work without end.
pub const PASSWORD_MOST: usize = 128;

/// Whether `password` may be chosen by the member with this name and address (`email` as [`super::identity::email`] gives it).
///
/// # Errors
/// `invalid_request` for `password`.
pub fn check_password(password: &str, name: &str, email: &str) -> Result<(), Refusal> {
    let refuse = |detail: &str| Err(Refusal::invalid("password", detail));
    let length = password.chars().count();
    if !(PASSWORD_LEAST..=PASSWORD_MOST).contains(&length) {
        return refuse(&format!("Must have {PASSWORD_LEAST} to {PASSWORD_MOST} characters."));
    }
    let lower = password.to_lowercase();
    if lower.trim() == name.trim().to_lowercase() || lower.trim() == email {
        return refuse("Must not be your name or address.");
    }
    let mut characters: Vec<_> = lower.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < 4 {
        return refuse("Must not repeat the same few characters.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PASSWORD_LEAST, PASSWORD_MOST, check_password};
    use crate::refusal::Code;

    #[test]
    fn long_ones_are_taken() {
        let four = |length: usize| "abcd".chars().cycle().take(length).collect::<String>();
        for (password, taken) in [
            ("correct horse battery staple", true),
            ("alllowercaseletters", true),
            ("  blanks count  ", true),
            ("пароль из слов", true),
            (four(PASSWORD_LEAST).as_str(), true),
            (four(PASSWORD_LEAST - 1).as_str(), false),
            (four(PASSWORD_MOST).as_str(), true),
            (four(PASSWORD_MOST + 1).as_str(), false),
            ("éééé", false),
            ("", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("abcabcabcabcabc", false),
            ("ABCabcABCabcABC", false),
            ("Ann Ashley Brown", false),
            ("ann@example.org", false),
            ("ANN@example.org ", false),
            ("ann@example.org!", true),
        ] {
            let got = check_password(password, "Ann Ashley Brown", "ann@example.org");
            assert_eq!(got.is_ok(), taken, "{password:?}");
            if let Err(refusal) = got {
                assert_eq!((refusal.code, refusal.evidence.field.as_deref()), (Code::InvalidRequest, Some("password")));
                assert!(
                    !refusal.detail.contains(password) || password.is_empty(),
                    "a refusal never repeats the password"
                );
            }
        }
    }
}
