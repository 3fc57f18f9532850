//! How keys and pairing codes are written: `vgk_…` (API), `vgd_…` (device), `vgs_…` (login), and eight characters that can be read aloud.
//!
//! Never: randomness (the bytes are arguments), or a stored secret (stores keep the SHA-256 of the text). To add a kind: a line in [`SecretKind`].

use unicode_normalization::UnicodeNormalization;

use crate::named::named;

/// The random bytes of a key.
pub const SECRET_BYTES: usize = 32;
/// The characters of a key after its prefix: 32 bytes in base 62, so that a double click selects all of it.
pub const SECRET_CHARACTERS: usize = 43;
/// The random bytes of a pairing code.
pub const PAIRING_BYTES: usize = 5;
/// The characters of a pairing code, 5 bits each.
pub const PAIRING_CHARACTERS: usize = 8;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Crockford's: without I, L, O (read as 1, 1, 0) and U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

named! {
    /// What a key opens; the text is its prefix.
    "kind of key" SecretKind {
        /// The organizer's API.
        Api = "vgk_",
        /// A device's calls.
        Device = "vgd_",
        /// A member's login, in the console's cookie.
        Login = "vgs_",
    }
}

impl SecretKind {
    /// The key of 32 random bytes: prefix and [`SECRET_CHARACTERS`]; different bytes give different keys.
    #[must_use]
    pub fn write(self, bytes: &[u8; SECRET_BYTES]) -> String {
        let mut number = *bytes;
        let mut digits = [b'0'; SECRET_CHARACTERS];
        for digit in digits.iter_mut().rev() {
            // Long division of the big-endian number by 62; the remainder is the next digit from the right.
            let mut rest = 0_u32;
            for byte in &mut number {
                let value = rest * 256 + u32::from(*byte);
                // Below 256, since `rest` is below 62.
                *byte = (value / 62) as u8;
                rest = value % 62;
            }
            *digit = BASE62[rest as usize];
        }
        self.as_str().chars().chain(digits.map(char::from)).collect()
    }

    /// The bytes that [`Self::write`] wrote as `text`; none where it is no key of this kind.
    #[must_use]
    pub fn read(self, text: &str) -> Option<[u8; SECRET_BYTES]> {
        if Self::of(text) != Some(self) {
            return None;
        }
        let mut number = [0_u8; SECRET_BYTES];
        for digit in text.bytes().skip(self.as_str().len()) {
            let mut carry = u32::try_from(BASE62.iter().position(|known| *known == digit)?).ok()?;
            for byte in number.iter_mut().rev() {
                let value = u32::from(*byte) * 62 + carry;
                *byte = (value & 255) as u8;
                carry = value >> 8;
            }
            if carry > 0 {
                return None;
            }
        }
        Some(number)
    }

    /// The kind of key that `text` looks like, if any; whether it opens anything, only a store knows.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let kind = Self::ALL.iter().copied().find(|kind| text.starts_with(kind.as_str()))?;
        let secret = &text[kind.as_str().len()..];
        let whole = secret.len() == SECRET_CHARACTERS && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        whole.then_some(kind)
    }
}

/// The pairing code of five random bytes: [`PAIRING_CHARACTERS`] without look-alikes.
#[must_use]
pub fn write_pairing_code(bytes: &[u8; PAIRING_BYTES]) -> String {
    let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let digit = |at: usize| char::from(CROCKFORD[(number >> (5 * at) & 31) as usize]);
    (0..PAIRING_CHARACTERS).rev().map(digit).collect()
}

/// The code as [`write_pairing_code`] wrote it, from what a person typed or pasted: case, blanks, line ends, hyphens, invisible characters and full-width
/// forms do not matter, look-alikes are understood.
/// None where it is no code.
#[must_use]
pub fn read_pairing_code(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(PAIRING_CHARACTERS);
    for character in typed.nfkc().filter(|character| !is_between_groups(*character)) {
        let read = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let known = u8::try_from(read).is_ok_and(|byte| CROCKFORD.contains(&byte));
        if !known || code.len() == PAIRING_CHARACTERS {
            return None;
        }
        code.push(read);
    }
    (code.len() == PAIRING_CHARACTERS).then_some(code)
}

/// What people and their programs put between groups of a code: blanks, line ends, any kind of hyphen, and what nobody sees.
fn is_between_groups(character: char) -> bool {
    let hyphen = matches!(character, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
    hyphen || character.is_whitespace() || is_invisible(character)
}

/// Control characters, zero-width characters, marks of direction and the byte order mark.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PAIRING_CHARACTERS, SECRET_CHARACTERS, SecretKind, read_pairing_code, write_pairing_code};

    #[test]
    fn keys_are_written_so() {
        let mut one = [0; 32];
        one[31] = 1;
        let mut sixty_two = [0; 32];
        sixty_two[31] = 62;
        for (kind, bytes, expected) in [
            (SecretKind::Api, [0; 32], format!("vgk_{}", "0".repeat(43))),
            (SecretKind::Api, one, format!("vgk_{}1", "0".repeat(42))),
            (SecretKind::Device, sixty_two, format!("vgd_{}10", "0".repeat(41))),
            // 2^256 - 1, by another implementation.
            (SecretKind::Device, [255; 32], format!("vgd_{LARGEST}")),
        ] {
            assert_eq!(kind.write(&bytes), expected);
            assert_eq!(kind.read(&expected), Some(bytes));
        }
        // Beyond 2^256.
        assert_eq!(SecretKind::Api.read(&format!("vgk_{}", "z".repeat(43))), None);
    }

    const LARGEST: &str = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";

    #[test]
    fn what_looks_like_a_key() {
        let body = "a".repeat(SECRET_CHARACTERS);
        for (text, expected) in [
            (format!("vgk_{body}"), Some(SecretKind::Api)),
            (format!("vgd_{body}"), Some(SecretKind::Device)),
            (format!("vgs_{body}"), Some(SecretKind::Login)),
            (format!("vgx_{body}"), None),
            (format!("VGK_{body}"), None),
            (format!("vgk_{body}a"), None),
            (format!("vgk_{}", &body[1..]), None),
            (format!("vgk_{}-", &body[1..]), None),
            (format!("vgk_é{}", &body[2..]), None),
            (format!(" vgk_{body}"), None),
            (body.clone(), None),
            ("vgk_".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(SecretKind::of(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn pairing_codes_are_written_and_read_so() {
        for (bytes, expected) in [([0; 5], "00000000"), ([255; 5], "ZZZZZZZZ"), ([0, 0, 0, 0, 33], "00000011")] {
            assert_eq!(write_pairing_code(&bytes), expected);
        }
        for (typed, expected) in [
            ("AB12CD34", Some("AB12CD34")),
            ("ab12-cd34", Some("AB12CD34")),
            (" AB 12 CD 34 ", Some("AB12CD34")),
            ("AB12-CD34\r\n", Some("AB12CD34")),
            ("\tab12\u{2011}cd34\n", Some("AB12CD34")),
            ("\u{feff}AB12\u{a0}\u{2013} CD34\u{200b}", Some("AB12CD34")),
            ("A-B-1-2-C-D-3-4", Some("AB12CD34")),
            ("\u{ff21}\u{ff22}\u{ff11}\u{ff12}\u{ff0d}\u{ff43}\u{ff44}\u{3000}34\u{2028}", Some("AB12CD34")),
            ("AB12.CD34", None),
            ("OIL00000", Some("01100000")),
            ("oil00000", Some("01100000")),
            ("AB12CD3", None),
            ("AB12CD345", None),
            ("AB12CD3U", None),
            ("AB12CD3é", None),
            ("AB12CD3_", None),
            ("", None),
        ] {
            assert_eq!(read_pairing_code(typed).as_deref(), expected, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn different_bytes_different_keys(one in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
            let (first, second) = (SecretKind::Api.write(&one), SecretKind::Api.write(&other));
            prop_assert_eq!(one == other, first == second);
            prop_assert_eq!(SecretKind::of(&first), Some(SecretKind::Api));
            prop_assert_eq!(SecretKind::Api.read(&first), Some(one));
            prop_assert_eq!(SecretKind::Device.read(&first), None);
        }

        #[test]
        fn pairing_codes_round_trip(one in any::<[u8; 5]>(), other in any::<[u8; 5]>()) {
            let code = write_pairing_code(&one);
            prop_assert_eq!(code.len(), PAIRING_CHARACTERS);
            prop_assert_eq!(read_pairing_code(&code.to_lowercase()), Some(code.clone()));
            prop_assert_eq!(one == other, code == write_pairing_code(&other));
        }
    }
}
