//! Encodes bytes as Base45 (RFC 9285), the alphabet that QR codes store most compactly, and decodes them strictly.
//!
//! Never: two texts for the same bytes; every text that [`encode`] does not write is refused.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text is not Base45.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Base45Error {
    /// A character outside of the alphabet at this byte; lower case is outside.
    #[error("byte {0} is not of the Base45 alphabet")]
    Character(usize),
    /// No bytes encode to a text of this length.
    #[error("no Base45 text has this length")]
    Length,
    /// The group at this byte encodes a number above that of its bytes.
    #[error("the group at byte {0} is out of range")]
    Range(usize),
}

/// Encodes two bytes as three characters, and a single last byte as two.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for chunk in bytes.chunks(2) {
        let mut value = chunk.iter().fold(0_usize, |value, byte| value * 256 + usize::from(*byte));
        for _ in 0..=chunk.len() {
            text.push(char::from(ALPHABET[value % 45]));
            value /= 45;
        }
    }
    text
}

/// Decodes `text` to the bytes that encode to it.
///
/// # Errors
/// [`Base45Error`] where no bytes encode to `text`.
pub fn decode(text: &str) -> Result<Vec<u8>, Base45Error> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for (group, chunk) in text.as_bytes().chunks(3).enumerate() {
        let start = group * 3;
        let mut value = 0_u32;
        let mut weight = 1_u32;
        for (at, character) in (start..).zip(chunk) {
            value += digit(*character).ok_or(Base45Error::Character(at))? * weight;
            weight *= 45;
        }
        let range = |_| Base45Error::Range(start);
        match chunk.len() {
            3 => bytes.extend(u16::try_from(value).map_err(range)?.to_be_bytes()),
            2 => bytes.push(u8::try_from(value).map_err(range)?),
            _ => return Err(Base45Error::Length),
        }
    }
    Ok(bytes)
}

fn digit(character: u8) -> Option<u32> {
    // At most 44, so the cast is exact.
    ALPHABET.iter().position(|letter| *letter == character).map(|at| at as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ALPHABET, Base45Error, decode, encode};

    #[test]
    fn rfc_examples_encode_and_decode() {
        for (bytes, text) in [
            (&b"AB"[..], "BB8"),
            (b"Hello!!", "%69 VD92EX0"),
            (b"base-45", "UJCLQE7W581"),
            (b"ietf!", "QED8WEX0"),
            (b"", ""),
            (b"\0", "00"),
            (b"\xff", "U5"),
            (b"\xff\xff", "FGW"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn malformed_base45_is_refused() {
        for (text, expected) in [
            ("A", Base45Error::Length),
            ("BB8A", Base45Error::Length),
            ("GGW", Base45Error::Range(0)),
            (":::", Base45Error::Range(0)),
            ("BB8::", Base45Error::Range(3)),
            ("V5", Base45Error::Range(0)),
            ("bb8", Base45Error::Character(0)),
            ("BB8B\u{e9}8", Base45Error::Character(4)),
            ("BB8\n", Base45Error::Character(3)),
            ("BB,", Base45Error::Character(2)),
        ] {
            assert_eq!(decode(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn every_group_has_at_most_one_text() {
        let letters = || ALPHABET.iter().map(|letter| char::from(*letter));
        let mut seen = 0;
        for (a, b) in letters().flat_map(|a| letters().map(move |b| (a, b))) {
            let short = String::from_iter([a, b]);
            if let Ok(bytes) = decode(&short) {
                assert_eq!(encode(&bytes), short);
                seen += 1;
            }
            for c in letters() {
                let text = String::from_iter([a, b, c]);
                if let Ok(bytes) = decode(&text) {
                    assert_eq!(encode(&bytes), text);
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 256 + 65_536);
    }

    proptest! {
        #[test]
        fn bytes_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn decoded_text_encodes_to_itself(text in "[0-9A-Z $%*+./:-]{0,40}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn decoding_any_text_never_panics(text in any::<String>()) {
            let _ = decode(&text);
        }
    }
}
