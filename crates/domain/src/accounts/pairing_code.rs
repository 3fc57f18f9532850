//! Encodes a device's pairing code as 8 Crockford base-32 characters and normalizes what a person types back to that form.
//!
//! Never: randomness; the bytes are arguments.

use unicode_normalization::UnicodeNormalization;

use crate::text::is_control_or_zero_width;

/// Random bytes of a pairing code.
pub const PAIRING_CODE_BYTES: usize = 5;
/// Characters of a pairing code, 5 bits each.
pub const PAIRING_CODE_CHARS: usize = 8;

/// Crockford's base 32: without I, L, O (read as 1, 1, 0) and U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Encodes five random bytes as [`PAIRING_CODE_CHARS`] characters without look-alikes.
#[must_use]
pub fn encode_pairing_code(bytes: &[u8; PAIRING_CODE_BYTES]) -> String {
    let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let digit = |at: usize| char::from(CROCKFORD[(number >> (5 * at) & 31) as usize]);
    (0..PAIRING_CODE_CHARS).rev().map(digit).collect()
}

/// The canonical code of a typed or pasted text, or `None` where the text is no code. Ignores case, blanks, line ends, hyphens, invisible characters and
/// full-width forms; reads look-alikes (`O` as `0`, `I` and `L` as `1`).
#[must_use]
pub fn normalize_pairing_code(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(PAIRING_CODE_CHARS);
    for character in typed.nfkc().filter(|character| !is_separator(*character)) {
        let read = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let known = u8::try_from(read).is_ok_and(|byte| CROCKFORD.contains(&byte));
        if !known || code.len() == PAIRING_CODE_CHARS {
            return None;
        }
        code.push(read);
    }
    (code.len() == PAIRING_CODE_CHARS).then_some(code)
}

/// True for what people and programs put between groups of a code: blanks, line ends, hyphens of any kind, invisible characters.
fn is_separator(character: char) -> bool {
    let hyphen = matches!(character, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
    hyphen || character.is_whitespace() || is_control_or_zero_width(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PAIRING_CODE_CHARS, encode_pairing_code, normalize_pairing_code};

    #[test]
    fn pairing_codes_are_encoded_and_typed_variants_are_normalized() {
        for (bytes, expected) in [([0; 5], "00000000"), ([255; 5], "ZZZZZZZZ"), ([0, 0, 0, 0, 33], "00000011")] {
            assert_eq!(encode_pairing_code(&bytes), expected);
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
            assert_eq!(normalize_pairing_code(typed).as_deref(), expected, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn lower_case_code_normalizes_to_the_encoded_code(one in any::<[u8; 5]>(), other in any::<[u8; 5]>()) {
            let code = encode_pairing_code(&one);
            prop_assert_eq!(code.len(), PAIRING_CODE_CHARS);
            prop_assert_eq!(normalize_pairing_code(&code.to_lowercase()), Some(code.clone()));
            prop_assert_eq!(one == other, code == encode_pairing_code(&other));
        }
    }
}
