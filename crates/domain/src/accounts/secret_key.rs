//! Encodes and decodes secret keys: a prefix that names the kind (`vgk_` API, `vgd_` device, `vgs_` login) and 32 bytes in base 62.
//!
//! Never: randomness (the bytes are arguments), or a stored secret (stores keep the SHA-256 of the text). To add a kind: a line in [`SecretKind`].

use crate::text_enum::text_enum;

/// Random bytes of a key.
pub const SECRET_BYTES: usize = 32;
/// Characters of a key after its prefix. Base 62, so that a double click selects the whole key.
pub const SECRET_CHARS: usize = 43;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

text_enum! {
    /// Which API a key authenticates at; the text is the prefix of the key.
    "kind of key" SecretKind {
        /// The organizer API.
        Api = "vgk_",
        /// The device API.
        Device = "vgd_",
        /// The console, in its login cookie.
        Login = "vgs_",
    }
}

impl SecretKind {
    /// Encodes 32 random bytes as prefix and [`SECRET_CHARS`] characters; different bytes give different keys.
    #[must_use]
    pub fn encode(self, bytes: &[u8; SECRET_BYTES]) -> String {
        let mut number = *bytes;
        let mut digits = [b'0'; SECRET_CHARS];
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

    /// The bytes that [`Self::encode`] encoded as `text`; `None` where `text` is no key of this kind.
    #[must_use]
    pub fn decode(self, text: &str) -> Option<[u8; SECRET_BYTES]> {
        if Self::detect(text) != Some(self) {
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

    /// The kind of key that `text` has the form of. Does not check that such a key was issued.
    #[must_use]
    pub fn detect(text: &str) -> Option<Self> {
        let kind = Self::ALL.iter().copied().find(|kind| text.starts_with(kind.as_str()))?;
        let secret = &text[kind.as_str().len()..];
        let whole = secret.len() == SECRET_CHARS && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        whole.then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SECRET_CHARS, SecretKind};

    #[test]
    fn keys_are_encoded_in_base_62_and_decoded() {
        let mut one = [0; 32];
        one[31] = 1;
        let mut sixty_two = [0; 32];
        sixty_two[31] = 62;
        for (kind, bytes, expected) in [
            (SecretKind::Api, [0; 32], format!("vgk_{}", "0".repeat(43))),
            (SecretKind::Api, one, format!("vgk_{}1", "0".repeat(42))),
            (SecretKind::Device, sixty_two, format!("vgd_{}10", "0".repeat(41))),
            // 2^256 - 1, computed by another implementation.
            (SecretKind::Device, [255; 32], format!("vgd_{ENCODED_MAX}")),
        ] {
            assert_eq!(kind.encode(&bytes), expected);
            assert_eq!(kind.decode(&expected), Some(bytes));
        }
        // Beyond 2^256.
        assert_eq!(SecretKind::Api.decode(&format!("vgk_{}", "z".repeat(43))), None);
    }

    const ENCODED_MAX: &str = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";

    #[test]
    fn kind_is_detected_by_prefix_and_length() {
        let body = "a".repeat(SECRET_CHARS);
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
            assert_eq!(SecretKind::detect(&text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn different_bytes_encode_to_different_keys(one in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
            let (first, second) = (SecretKind::Api.encode(&one), SecretKind::Api.encode(&other));
            prop_assert_eq!(one == other, first == second);
            prop_assert_eq!(SecretKind::detect(&first), Some(SecretKind::Api));
            prop_assert_eq!(SecretKind::Api.decode(&first), Some(one));
            prop_assert_eq!(SecretKind::Device.decode(&first), None);
        }
    }
}
