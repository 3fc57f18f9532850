//! Which passwords are taken: long ones that are not guessed early; nothing about digits or signs, which make passwords worse.
//!
//! How early a password is guessed says `zxcvbn`: common passwords and words, names, keyboard rows, repeats, dates, also with digits for letters. The
//! weakest verdict counts: of the password, and of the simpler texts that it is a small change of ([`super::password_forms`]).
//!
//! Never: a password that is cut, trimmed or changed before it is hashed. To add a rule: a form there, or a check here, and its row in the table.

use unicode_normalization::UnicodeNormalization;
use zxcvbn::zxcvbn;

use super::password_forms::{collapsed, forms, spellings};
use crate::refusal::Refusal;

/// The fewest characters.
pub const PASSWORD_LEAST: usize = 12;
/// The most characters, so that hashing cannot be made to work without end.
pub const PASSWORD_MOST: usize = 128;
/// Guesses of an attacker who knows how people choose: a password needs more than 10 to the power of this.
const GUESSES_LOG10: f64 = 8.0;
/// A form of it needs as many as 10 to the power of this …
const FORM_GUESSES_LOG10: f64 = 6.0;
/// … unless it is short and random: each character of it that nothing is known of counts as ten guesses, and fewer than two of them may be missing.
const FORM_KNOWN_LOG10: f64 = 2.0;
/// So many characters are judged.
const JUDGED_MOST: usize = 64;
/// Words and phrases of passwords that the dictionaries of `zxcvbn` lack.
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
    let names = [name, email].into_iter().chain(email.split('@')).chain(organization.iter().copied());
    let mut known: Vec<String> = names.flat_map(spellings).collect();
    known.extend(KNOWN_WORDS.iter().map(|word| (*word).to_owned()));
    if is_weak(password, &known) {
        return refuse(
            "This password is too easy to guess. Choose several words that have nothing to do with each other.",
        );
    }
    Ok(())
}

/// How many guesses a text of a machine, e.g. an operator's key, needs at least: the weakest verdict of the text and its forms, as a power of 10.
#[must_use]
pub fn secret_guesses_log10(text: &str, known: &[&str]) -> f64 {
    let known: Vec<&str> = KNOWN_WORDS.iter().chain(known).copied().collect();
    let judged: String = text.nfkc().take(JUDGED_MOST).collect();
    let all = forms(&judged).into_iter().chain([judged.clone(), collapsed(&judged)]);
    all.map(|form| zxcvbn(&form, &known).guesses_log10()).fold(f64::INFINITY, f64::min)
}

/// Whether the password, or a form of it, is guessed early by somebody who knows these words.
fn is_weak(password: &str, known: &[String]) -> bool {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let guesses_log10 = |text: &str| zxcvbn(text, &known).guesses_log10();
    // Beyond this, more characters change nothing, and judging them takes long.
    let judged: String = password.nfkc().take(JUDGED_MOST).collect();
    if [judged.clone(), collapsed(&judged)].iter().any(|text| guesses_log10(text) <= GUESSES_LOG10) {
        return true;
    }
    forms(&judged).iter().any(|form| {
        let guesses_log10 = guesses_log10(form);
        let of_random = form.chars().count() as f64;
        guesses_log10 < FORM_GUESSES_LOG10 && guesses_log10 < of_random - FORM_KNOWN_LOG10
    })
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

    #[test]
    fn small_changes_of_what_is_guessed_early_are_refused() {
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
    fn random_ones_and_unrelated_words_are_taken() {
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
