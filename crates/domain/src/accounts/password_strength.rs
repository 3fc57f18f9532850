//! Refuses passwords that are too short or that `zxcvbn` guesses early, as they are or as one of their simpler variants ([`super::password_variants`]).
//!
//! `zxcvbn` estimates the guesses from common passwords and words, names, keyboard rows, repeats and dates. No digits or signs are required, since such
//! rules make passwords worse.
//!
//! Never: a password that is truncated, trimmed or changed before it is hashed.
//! To add a rule: a variant there or a check here, and its row in the table test.

use unicode_normalization::UnicodeNormalization;
use zxcvbn::zxcvbn;

use super::password_variants::{name_spellings, variants, without_repeats};
use crate::refusal::Refusal;

/// Characters that a password needs.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Characters that a password may have; bounds the work of one hash.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// A password needs more guesses than 10 to the power of this.
const GUESSES_LOG10_MIN: f64 = 8.0;
/// A variant of the password needs as many guesses as 10 to the power of this, unless [`VARIANT_GUESSABLE_CHARS_MAX`] lets it pass.
const VARIANT_GUESSES_LOG10_MIN: f64 = 6.0;
/// A short random variant passes too: each random character counts as a factor of 10, and the estimate may be lower by at most this many characters.
const VARIANT_GUESSABLE_CHARS_MAX: f64 = 2.0;
/// Characters that are estimated: more of them change nothing, and `zxcvbn` takes long for them.
const ESTIMATED_CHARS_MAX: usize = 64;
/// Words and phrases in passwords that the dictionaries of `zxcvbn` lack.
const KNOWN_WORDS: &[&str] = &[
    "voelgoed",
    "wachtwoord",
    "wagwoord",
    "passwort",
    "kennwort",
    "motdepasse",
    "contraseña",
    "contrasena",
    "senha",
    "пароль",
    "ticket",
    "tickets",
    "southafrica",
    "suidafrika",
    "thequickbrownfox",
    "thequickbrownfoxjumpsover",
    "thequickbrownfoxjumpsoverthelazydog",
];

/// Checks a password that is chosen by a member with this name and address ([`super::email::lowercase_address`]) of an organization with these names.
///
/// # Errors
/// `invalid_request` for `password`.
pub fn check_password(password: &str, name: &str, email: &str, organization: &[&str]) -> Result<(), Refusal> {
    let refuse = |detail: &str| Err(Refusal::invalid("password", detail));
    let length = password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        return refuse(&format!("Must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters."));
    }
    let lower = password.to_lowercase();
    let is_name = |known: &str| lower.trim() == known.trim().to_lowercase();
    if is_name(name) || is_name(email) || organization.iter().any(|known| is_name(known)) {
        return refuse("Must not be your name, your address or the name of your organization.");
    }
    let names = [name, email].into_iter().chain(email.split('@')).chain(organization.iter().copied());
    let mut known: Vec<String> = names.flat_map(name_spellings).collect();
    known.extend(KNOWN_WORDS.iter().map(|word| (*word).to_owned()));
    if is_weak(password, &known) {
        return refuse(
            "This password is too easy to guess. Choose several words that have nothing to do with each other.",
        );
    }
    Ok(())
}

/// The estimated guesses for a machine-made secret, e.g. a key of the operator, as a power of 10: the lowest of the text and its variants.
#[must_use]
pub fn secret_guesses_log10(text: &str, known: &[&str]) -> f64 {
    let known: Vec<&str> = KNOWN_WORDS.iter().chain(known).copied().collect();
    let estimated: String = text.nfkc().take(ESTIMATED_CHARS_MAX).collect();
    let all = variants(&estimated).into_iter().chain([estimated.clone(), without_repeats(&estimated)]);
    all.map(|variant| zxcvbn(&variant, &known).guesses_log10()).fold(f64::INFINITY, f64::min)
}

/// True where an attacker who tries the words `known` guesses the password or a variant of it early.
fn is_weak(password: &str, known: &[String]) -> bool {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let guesses_log10 = |text: &str| zxcvbn(text, &known).guesses_log10();
    let estimated: String = password.nfkc().take(ESTIMATED_CHARS_MAX).collect();
    if [estimated.clone(), without_repeats(&estimated)].iter().any(|text| guesses_log10(text) <= GUESSES_LOG10_MIN) {
        return true;
    }
    variants(&estimated).iter().any(|variant| {
        let guesses_log10 = guesses_log10(variant);
        let random_log10 = variant.chars().count() as f64;
        guesses_log10 < VARIANT_GUESSES_LOG10_MIN && guesses_log10 < random_log10 - VARIANT_GUESSABLE_CHARS_MAX
    })
}

#[cfg(test)]
mod tests {
    use super::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, check_password};
    use crate::refusal::Code;

    #[test]
    fn length_limits_repeats_and_own_names_are_enforced() {
        let mixed = |length: usize| "correct horse battery staple ".chars().cycle().take(length).collect::<String>();
        for (password, accepted) in [
            ("correct horse battery staple", true),
            ("correct horse battery", true),
            ("alllowercaseletters", true),
            ("  blanks count  ", true),
            ("пароль из слов", true),
            ("kx7#mQp2vLw9", true),
            (mixed(PASSWORD_CHARS_MIN).as_str(), true),
            (mixed(PASSWORD_CHARS_MIN - 1).as_str(), false),
            (mixed(PASSWORD_CHARS_MAX).as_str(), true),
            (mixed(PASSWORD_CHARS_MAX + 1).as_str(), false),
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
            assert_eq!(got.is_ok(), accepted, "{password:?}");
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
    fn own_name_address_and_organization_are_refused_as_such() {
        let check = |password: &str| {
            check_password(password, "Ann Ashley Brown", "ann@example.org", &["Sparrow Events", "sparrow-events"])
        };
        for password in [" ann ashley BROWN", "ANN@example.org", "Sparrow Events", "sparrow-events "] {
            let detail = check(password).unwrap_err().detail;
            assert_eq!(detail, "Must not be your name, your address or the name of your organization.", "{password}");
        }
        let detail = check("sparrow events 1").unwrap_err().detail;
        assert!(detail.starts_with("This password is too easy to guess."), "{detail}");
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

    #[test]
    fn simple_variations_of_common_passwords_and_own_names_are_refused() {
        for password in [
            "password password1",
            "password-password",
            "pass word pass word",
            "p a s s w o r d",
            "p-a-s-s-w-o-r-d",
            "p_a_s_s_w_o_r_d",
            "p.a.s.s.w.o.r.d!",
            "ｐａｓｓｗｏｒｄ１２３４",
            "passwoŕd1234",
            "pässwörd1234",
            "пароль123456",
            "Пароль2026!!",
            "йцукенгшщзхъ",
            "Summer2026!!",
            "Winter2025!!!",
            "2024Football!",
            "Admin@123456",
            "1qaz!QAZ2wsx@WSX",
            "!QAZ1qaz@WSX2wsx",
            "qwerty-qwerty-qwerty",
            "the quick brown fox",
            "The-Quick-Brown-Fox!",
            "Wachtwoord2024!",
            "Passwort-2026",
            "South Africa 2026",
            "voelgoed voelgoed",
            "annashleybrown",
            "brownashleyann",
            "Ann.Brown.1234",
            "AnnBrown1234",
            "Brown-Ashley-Ann-7",
            "highveldarena",
            "HighveldArena2026",
            "Highveld-Arena",
            "arena highveld",
            "highveld\u{a0}arena",
            "Highveld  Arena",
            "Arena_Highveld_1",
            "letmeinletmein1!",
            "i l o v e y o u 1",
        ] {
            let got =
                check_password(password, "Ann Ashley Brown", "ann@example.org", &["Highveld Arena", "highveld-arena"]);
            assert!(got.is_err(), "{password}");
        }
    }

    #[test]
    fn random_passwords_and_unrelated_words_are_accepted() {
        for password in [
            "kx7#mQp2vLw9",
            "9aT!x0Lq3#Vd",
            "7h2k9d4m1q8z",
            "4817-xkqz-vbw",
            "T9$w!2^p@4&z",
            "q8Zt3Wn5Rj2M",
            "vbnwkzqtrplm",
            "3f9a1c7e5b2d8064",
            "zK4!zK4?mP7w",
            "orchard violin tuesday gravel",
            "maple7thunder4basin",
            "copper-lantern-orbit",
            "sneeu klavier boom venster",
            "рыба облако гвоздь",
            "lumière-cactus-fjord",
            "玄関 自転車 雲 みかん 橋 空港",
            "hG5 kP2 wX9 tB4",
            "a lobster on the piano",
        ] {
            let got =
                check_password(password, "Ann Ashley Brown", "ann@example.org", &["Highveld Arena", "highveld-arena"]);
            assert!(got.is_ok(), "{password}");
        }
    }
}
