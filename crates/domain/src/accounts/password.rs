//! Which passwords are taken: long ones that are not guessed early; nothing about digits or signs, which make passwords worse.
//!
//! How early a password is guessed says `zxcvbn`: common passwords and words, names, keyboard rows, repeats, dates, also with digits for letters.
//!
//! Never: a password that is cut, trimmed or changed before it is hashed. To add a rule: a check here and its row in the table.

use zxcvbn::{Score, zxcvbn};

use crate::refusal::Refusal;

/// The fewest characters.
pub const PASSWORD_LEAST: usize = 12;
/// The most characters, so that hashing cannot be made to work without end.
pub const PASSWORD_MOST: usize = 128;
/// Guesses of an attacker who knows how people choose: fewer than 10^8 are refused.
const SCORE_LEAST: Score = Score::Three;
/// So many characters are judged.
const JUDGED_MOST: usize = 64;

/// Whether `password` may be chosen by the member with this name and address (`email` as [`super::identity::email`] gives it) of the organization
/// with these names.
///
/// # Errors
/// `invalid_request` for `password`.
pub fn check_password(password: &str, name: &str, email: &str, organization: &[&str]) -> Result<(), Refusal> {
    let refuse = |detail: &str| Err(Refusal::invalid("password", detail));
    let length = password.chars().count();
    if !(PASSWORD_LEAST..=PASSWORD_MOST).contains(&length) {
        return refuse(&format!("Must have {PASSWORD_LEAST} to {PASSWORD_MOST} characters."));
    }
    let lower = password.to_lowercase();
    let is_name = |known: &str| lower.trim() == known.trim().to_lowercase();
    if is_name(name) || is_name(email) || organization.iter().any(|known| is_name(known)) {
        return refuse("Must not be your name, your address or the name of your organization.");
    }
    let mut known = vec![name, email];
    known.extend(email.split('@').chain(name.split_whitespace()).chain(organization.iter().copied()));
    // A word that is repeated is guessed as early as once.
    let mut words: Vec<&str> = password.split_whitespace().collect();
    let all = words.len();
    words.dedup_by_key(|word| word.trim_end_matches('s').to_lowercase());
    let password = if words.len() < all && words.len() == 1 { words.concat() } else { password.to_owned() };
    // Beyond this, more characters change nothing, and judging them takes long.
    let judged: String = password.chars().take(JUDGED_MOST).collect();
    if zxcvbn(&judged, &known).score() < SCORE_LEAST {
        return refuse(
            "This password is too easy to guess. Choose several words that have nothing to do with each other.",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PASSWORD_LEAST, PASSWORD_MOST, check_password};
    use crate::refusal::Code;

    #[test]
    fn long_ones_are_taken() {
        let mixed = |length: usize| "correct horse battery staple ".chars().cycle().take(length).collect::<String>();
        for (password, taken) in [
            ("correct horse battery staple", true),
            ("correct horse battery", true),
            ("alllowercaseletters", true),
            ("  blanks count  ", true),
            ("пароль из слов", true),
            ("kx7#mQp2vLw9", true),
            (mixed(PASSWORD_LEAST).as_str(), true),
            (mixed(PASSWORD_LEAST - 1).as_str(), false),
            (mixed(PASSWORD_MOST).as_str(), true),
            (mixed(PASSWORD_MOST + 1).as_str(), false),
            ("éééé", false),
            ("", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("abcabcabcabcabc", false),
            ("ABCabcABCabcABC", false),
            ("Ann Ashley Brown", false),
            ("ann@example.org", false),
            ("ANN@example.org ", false),
            ("ann@example.org!", false),
            ("Sparrow Events", false),
            ("sparrow-events", false),
            ("sparrow events 1", false),
        ] {
            let got =
                check_password(password, "Ann Ashley Brown", "ann@example.org", &["Sparrow Events", "sparrow-events"]);
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

    #[test]
    fn common_passwords_are_refused() {
        for password in [
            "password1234",
            "Password123!",
            "passwordpassword",
            "P@ssw0rd1234",
            "123456789012",
            "1234567890123456",
            "qwertyuiop123",
            "qwertyuiopasdf",
            "1q2w3e4r5t6y",
            "1qaz2wsx3edc",
            "iloveyou1234",
            "letmein12345",
            "welcome12345",
            "administrator",
            "adminadmin12",
            "abcdefghijkl",
            "abcdabcdabcd",
            "111111111111",
            "monkey123456",
            "football2024",
            "sunshine1234",
        ] {
            assert!(check_password(password, "Ann Ashley Brown", "ann@example.org", &[]).is_err(), "{password}");
        }
    }
}
