//! Refuses secrets that are easy to guess: short or repetitive ones, ordinary text, and published ones.

use std::collections::BTreeMap;

use anyhow::bail;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::accounts::password_strength::secret_guesses_log10;

/// Of an operator's key; 24 hexadecimal digits are 96 bits.
const CHARACTERS_MIN: usize = 24;
/// Of an operator's key.
const DISTINCT_CHARACTERS_MIN: usize = 8;
/// Of a master key; 32 random bytes have about 30 distinct ones.
const DISTINCT_BYTES_MIN: usize = 20;
/// Occurrences of one byte in a master key; among 32 random bytes five are rare.
const SAME_BYTE_MAX: usize = 6;
/// An operator's key needs 10 to the power of this guesses by an attacker who knows how people choose.
const GUESSES_LOG10_MIN: f64 = 12.0;
/// Characters of an operator's key outside of well-known words.
const UNKNOWN_CHARACTERS_MIN: usize = 12;
/// Words of examples and rows of keyboards.
const KNOWN_WORDS: &[&str] = &[
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "1234567890",
    "voelgoed",
    "changeme",
    "password",
    "passwort",
    "wachtwoord",
    "operator",
    "default",
    "example",
    "zxcvbnm",
    "yxcvbnm",
    "letmein",
    "secret",
    "please",
    "change",
    "replace",
    "master",
    "qwerty",
    "insert",
    "admin",
    "token",
    "here",
    "your",
    "test",
    "demo",
    "root",
    "key",
];
/// Digests of nothing and of well-known words, and keys that published documents print.
const KNOWN_SECRETS: &[&str] = &[
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    "21232f297a57a5a743894a0e4a801fc3",
    "d033e22ae348aeb5660fc2140aec35850c4da997",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
    "4cb9c8a8048fd02294477fcb1a41191a",
    "fa9beb99e4029ad5a6615399e7bbae21356086b3",
    "098f6bcd4621d373cade4e832627b4f6",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
];
const ADVICE: &str = "make one with `openssl rand -hex 32`";

/// Refuses a text that must be hard to guess; `name` is its setting.
pub fn check_text(name: &str, text: &str) -> anyhow::Result<()> {
    let lower = text.to_lowercase();
    let units: Vec<u32> = lower.chars().map(u32::from).collect();
    let unknown = KNOWN_WORDS.iter().fold(lower.clone(), |rest, word| rest.replace(word, " "));
    let unknown = unknown.chars().filter(|character| character.is_alphanumeric()).count();
    let fault = if units.len() < CHARACTERS_MIN {
        Some(format!("it has {} characters, at least {CHARACTERS_MIN} are needed", units.len()))
    } else if unknown < UNKNOWN_CHARACTERS_MIN || is_known(&lower) {
        Some("it is made of words that everybody tries first".to_owned())
    } else {
        let fault = low_variety(&units, DISTINCT_CHARACTERS_MIN).or_else(|| uuid_fault(text));
        fault.or_else(|| readable_fault(text)).map(str::to_owned)
    };
    refuse(name, fault)
}

/// Refuses 32 bytes that must be hard to guess; `name` is their setting.
pub fn check_bytes(name: &str, bytes: &[u8; 32]) -> anyhow::Result<()> {
    let units: Vec<u32> = bytes.iter().copied().map(u32::from).collect();
    let fault = if is_known(&hex::encode(bytes)) {
        Some("everybody knows it")
    } else if is_readable(bytes) {
        Some("it is the code of ordinary text")
    } else {
        low_variety(&units, DISTINCT_BYTES_MIN).or_else(|| same_bytes(bytes))
    };
    refuse(name, fault.map(str::to_owned))
}

/// True for published secrets and the SHA-256 of well-known words.
fn is_known(lower: &str) -> bool {
    KNOWN_SECRETS.contains(&lower) || KNOWN_WORDS.iter().any(|word| hex::encode(fingerprint(word)) == lower)
}

/// UUIDs of other versions than 4 are not random.
fn uuid_fault(text: &str) -> Option<&'static str> {
    let id = Uuid::try_parse(text.trim()).ok().filter(|_| text.contains('-'))?;
    (id.get_version_num() != 4).then_some("it is a UUID that is not random (version 4 is)")
}

/// Ordinary text, plain or in base64.
fn readable_fault(text: &str) -> Option<&'static str> {
    let bare = text.trim().trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok();
    if decoded.is_some_and(|bytes| is_readable(&bytes)) {
        return Some("it is ordinary text in base64");
    }
    (secret_guesses_log10(text, KNOWN_WORDS) < GUESSES_LOG10_MIN)
        .then_some("it is ordinary text, which is guessed early")
}

fn is_readable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

fn same_bytes(bytes: &[u8]) -> Option<&'static str> {
    let mut counts = BTreeMap::new();
    for byte in bytes {
        *counts.entry(byte).or_insert(0) += 1;
    }
    counts.values().any(|count| *count > SAME_BYTE_MAX).then_some("a part of it is one byte over and over")
}

fn refuse(name: &str, fault: Option<String>) -> anyhow::Result<()> {
    match fault {
        Some(fault) => bail!("{name} is too weak: {fault}; {ADVICE}"),
        None => Ok(()),
    }
}

fn low_variety(units: &[u32], distinct_min: usize) -> Option<&'static str> {
    let distinct = units.iter().collect::<std::collections::BTreeSet<_>>().len();
    if distinct < distinct_min {
        return Some("it has hardly any different characters");
    }
    let repeats = |period: usize| units.iter().zip(&units[period..]).all(|(one, other)| one == other);
    if (1..=units.len() / 2).any(repeats) {
        return Some("it repeats itself");
    }
    let steps: Vec<i64> = units.windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0])).collect();
    let even = steps.windows(2).filter(|pair| pair[0] == pair[1] || pair[1].abs() <= 1).count();
    (even * 2 > steps.len()).then_some("it counts up or down")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_text_is_refused_with_its_reason_and_strong_text_is_accepted() {
        for (text, expected) in [
            ("abcde", "5 characters"),
            ("0123456789abcdef0123456", "23 characters"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "hardly any different"),
            ("abababababababababababababababab", "hardly any different"),
            ("0f1e2d3c4b0f1e2d3c4b0f1e2d3c4b", "repeats itself"),
            ("abcdefghijklmnopqrstuvwxyz012345", "counts up or down"),
            ("zyxwvutsrqponmlkjihgfedcba987654", "counts up or down"),
            ("changeme-changeme-changeme", "everybody tries"),
            ("Please-Change-The-Operator-Key", "everybody tries"),
            ("Voelgoed-Operator-Password-2026", "everybody tries"),
            ("qwertyuiopasdfghjklzxcvbnm1234567890", "everybody tries"),
            ("123e4567-e89b-12d3-a456-426614174000", "UUID"),
            ("21232f297a57a5a743894a0e4a801fc3", "everybody tries"),
            ("057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86", "everybody tries"),
            ("Y2hhbmdlbWUgY2hhbmdlbWU=", "base64"),
            ("P4ssw0rd-0p3r4t0r-S3cr3t!", "ordinary text"),
            ("the quick brown fox jumps over", "ordinary text"),
            ("The-Quick-Brown-Fox-Jumps-Over!", "ordinary text"),
            ("welcome-welcome-monkey-dragon-1", "ordinary text"),
            ("sunshine_monkey_dragon_2026", "ordinary text"),
            ("iloveyou iloveyou princess 1", "ordinary text"),
            ("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "everybody tries"),
        ] {
            let error = check_text("secrets.operator", text).unwrap_err().to_string();
            assert!(error.starts_with("secrets.operator is too weak: ") && error.contains(expected), "{text}: {error}");
            assert!(error.ends_with("make one with `openssl rand -hex 32`"), "{error}");
        }
        for text in [
            "9f86d081884c7d659a2feaa0c55ad015",
            "8c1b5e07d94a2f63b0e7d5c1",
            "kq3T9vX0bWz7PfLr2NhYd8Jm",
            "correct horse battery staple orchard",
            "operator-of-the-tests-0123456789abcdef",
            "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        ] {
            assert!(check_text("secrets.operator", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn master_key_of_low_variety_is_refused() {
        let counting: [u8; 32] = std::array::from_fn(|at| at as u8);
        let steps: [u8; 32] = std::array::from_fn(|at| (at * 7) as u8);
        let mut zeros: [u8; 32] = std::array::from_fn(|at| (at * at * 7 + at * 91 + 13) as u8);
        zeros[16..].fill(0);
        let half: [u8; 32] = std::array::from_fn(|at| (at % 16 * 37) as u8);
        for (bytes, expected) in [
            ([0; 32], "hardly any different"),
            ([0xab; 32], "hardly any different"),
            (counting, "counts up or down"),
            (steps, "counts up or down"),
            (half, "hardly any different"),
            (zeros, "hardly any different"),
            (*b"this is the voelgoed master key!", "ordinary text"),
            (fingerprint("changeme"), "everybody knows"),
        ] {
            let error = check_bytes("secrets.master", &bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{bytes:?}: {error}");
        }
        for _ in 0..1000 {
            let bytes: [u8; 32] = rand::random();
            assert!(check_bytes("secrets.master", &bytes).is_ok(), "{bytes:?}");
        }
        // Judging a text takes longer.
        for _ in 0..20 {
            let bytes: [u8; 16] = rand::random();
            let text = hex::encode(bytes);
            assert!(check_text("secrets.operator", &text).is_ok(), "{text}");
        }
    }
}
