//! Refuses secrets that somebody could guess: short ones, ones of low variety, and ones that everybody knows.

use anyhow::bail;

/// The characters of an operator's key; 24 hexadecimal digits are 96 bits.
const CHARACTERS_MIN: usize = 24;
/// Different characters among them.
const DISTINCT_CHARACTERS_MIN: usize = 8;
/// Different bytes of a master key; 32 random ones have about 30.
const DISTINCT_BYTES_MIN: usize = 16;
/// Characters beside words that everybody knows.
const UNKNOWN_CHARACTERS_MIN: usize = 12;
/// What examples and keyboards are made of.
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
/// Digests of nothing, and keys that documents of others print.
const KNOWN_SECRETS: &[&str] = &[
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
];
const CURE: &str = "make one with `openssl rand -hex 32`";

/// Refuses a text that must be hard to guess; `name` is its setting.
pub fn check_text(name: &str, text: &str) -> anyhow::Result<()> {
    let lower = text.to_lowercase();
    let units: Vec<u32> = lower.chars().map(u32::from).collect();
    let unknown = KNOWN_WORDS.iter().fold(lower.clone(), |rest, word| rest.replace(word, " "));
    let unknown = unknown.chars().filter(|character| character.is_alphanumeric()).count();
    let fault = if units.len() < CHARACTERS_MIN {
        Some(format!("it has {} characters, at least {CHARACTERS_MIN} are needed", units.len()))
    } else if unknown < UNKNOWN_CHARACTERS_MIN || KNOWN_SECRETS.contains(&lower.as_str()) {
        Some("it is made of words that everybody tries first".to_owned())
    } else {
        low_variety(&units, DISTINCT_CHARACTERS_MIN).map(str::to_owned)
    };
    refuse(name, fault)
}

/// Refuses 32 bytes that must be hard to guess; `name` is their setting.
pub fn check_bytes(name: &str, bytes: &[u8; 32]) -> anyhow::Result<()> {
    let units: Vec<u32> = bytes.iter().copied().map(u32::from).collect();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let fault = match KNOWN_SECRETS.contains(&text.as_str()) {
        true => Some("everybody knows it"),
        false => low_variety(&units, DISTINCT_BYTES_MIN),
    };
    refuse(name, fault.map(str::to_owned))
}

fn refuse(name: &str, fault: Option<String>) -> anyhow::Result<()> {
    match fault {
        Some(fault) => bail!("{name} is too weak: {fault}; {CURE}"),
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
    fn a_text_is_refused_for_a_stated_reason_or_taken() {
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
        ] {
            assert!(check_text("secrets.operator", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_master_key_of_low_variety_is_refused() {
        let counting: [u8; 32] = std::array::from_fn(|at| at as u8);
        let steps: [u8; 32] = std::array::from_fn(|at| (at * 7) as u8);
        let half: [u8; 32] = std::array::from_fn(|at| (at % 16 * 37) as u8);
        for (bytes, expected) in [
            ([0; 32], "hardly any different"),
            ([0xab; 32], "hardly any different"),
            (counting, "counts up or down"),
            (steps, "counts up or down"),
            (half, "repeats itself"),
        ] {
            let error = check_bytes("secrets.master", &bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{bytes:?}: {error}");
        }
        for _ in 0..1000 {
            let bytes = rand::random();
            assert!(check_bytes("secrets.master", &bytes).is_ok(), "{bytes:?}");
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(check_text("secrets.operator", &text[..32]).is_ok(), "{text}");
        }
    }
}
