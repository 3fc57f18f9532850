//! Base45 (RFC 9285): bytes as text of the alphabet that QR codes hold most densely.
//!
//! Never: two texts for the same bytes; what is not exactly what [`encode`] writes is refused. Nothing to add: the RFC is finished.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text is not Base45.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Base45Error {
    /// A character outside of the alphabet (lower case too), at this byte.
    #[error("byte {0} is not of the Base45 alphabet")]
    Character(usize),
    /// No bytes have a text of this length.
    #[error("no Base45 text has this length")]
    Length,
    /// The group that begins at this byte is larger than its bytes can be.
    #[error("the group at byte {0} is out of range")]
    Range(usize),
}

/// The text of `bytes`: three characters for two bytes, two for a last single one.
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

/// The bytes of `text`, which is the only text of these bytes.
///
/// # Errors
/// [`Base45Error`] where [`encode`] never writes such a text.
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
    // 0 to 44, so it fits.
    ALPHABET.iter().position(|letter| *letter == character).map(|at| at as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ALPHABET, Base45Error, decode, encode};

    #[test]
    fn the_examples_of_the_rfc() {
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
    fn what_is_not_base45() {
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
    fn every_group_is_its_bytes_only_text_or_none() {
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
        fn a_text_that_decodes_is_the_text_of_its_bytes(text in "[0-9A-Z $%*+./:-]{0,40}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = decode(&text);
        }
    }
}
