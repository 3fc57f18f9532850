//! Decodes the bytes of a file: UTF-8, UTF-16 (by byte order mark or zero bytes), else Windows-1252 or Mac Roman, which older spreadsheets write.

use std::borrow::Cow;

use encoding_rs::{Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::finding::FindingKind;
use super::findings::Findings;

/// The text of a file; an assumed encoding is a finding.
pub(super) fn decode<'a>(content: &'a [u8], findings: &mut Findings) -> Cow<'a, str> {
    let assume = |findings: &mut Findings, encoding: &'static Encoding| {
        findings.add("the file", FindingKind::Assumed, format!("read as {}, since it is not UTF-8", encoding.name()));
    };
    if let Some((encoding, mark)) = Encoding::for_bom(content) {
        if encoding != UTF_8 {
            assume(findings, encoding);
        }
        return encoding.decode_without_bom_handling(&content[mark..]).0;
    }
    if let Some(encoding) = unmarked_utf16(content) {
        assume(findings, encoding);
        return encoding.decode_without_bom_handling(content).0;
    }
    match std::str::from_utf8(content) {
        Ok(text) => Cow::Borrowed(text),
        // The first bytes of a file may end within a character.
        Err(error) if error.error_len().is_none() => UTF_8.decode(content).0,
        Err(_) => {
            let encoding = if is_mac_roman(content) { MACINTOSH } else { WINDOWS_1252 };
            assume(findings, encoding);
            encoding.decode_without_bom_handling(content).0
        }
    }
}

/// Detects UTF-16 without a byte order mark: every other byte of Latin text is zero.
fn unmarked_utf16(content: &[u8]) -> Option<&'static Encoding> {
    let head = &content[..content.len().min(512) & !1];
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let zeros_min = head.len() / 2 * 7 / 10;
    match head.len() {
        0..4 => None,
        _ if odd > zeros_min && even == 0 => Some(UTF_16LE),
        _ if even > zeros_min && odd == 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// True where more bytes within words are letters in Mac Roman (and signs or rare letters in Windows-1252) than letters in Windows-1252.
fn is_mac_roman(content: &[u8]) -> bool {
    // Å á à â ä ç é è ê ö ù ü.
    const LETTERS: &[u8] = &[0x81, 0x87, 0x88, 0x89, 0x8A, 0x8D, 0x8E, 0x8F, 0x90, 0x9A, 0x9D, 0x9F];
    let (mut mac, mut windows) = (0_usize, 0_usize);
    for part in content.windows(2) {
        let (high, other) = if part[0].is_ascii_alphabetic() { (part[1], part[0]) } else { (part[0], part[1]) };
        if other.is_ascii_alphabetic() {
            mac += usize::from(LETTERS.contains(&high));
            windows += usize::from(high >= 0xC0);
        }
    }
    mac > windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn utf16_without_a_mark_is_detected_by_its_zero_bytes() {
        for (content, expected) in [
            (units("ab", false), Some(UTF_16LE)),
            (units("ab", true), Some(UTF_16BE)),
            (units("a", false), None),
            (b"abcd".to_vec(), None),
            (vec![0; 8], None),
            // Eight of ten characters are Latin, then seven.
            (units("abcdefgh劇場", false), Some(UTF_16LE)),
            (units("abcdefgh劇場", true), Some(UTF_16BE)),
            (units("abcdefg劇場劇", false), None),
            (units("abcdefg劇場劇", true), None),
            (units("ab\0d", false), None),
            (units("ab\0d", true), None),
            // Only the first 512 bytes count, and half a character is left out.
            (units(&format!("{}{}", "a".repeat(256), "劇".repeat(500)), false), Some(UTF_16LE)),
            (units(&format!("{}{}", "劇".repeat(256), "a".repeat(5_000)), false), None),
            (b"a\0b\0c".to_vec(), Some(UTF_16LE)),
        ] {
            assert_eq!(unmarked_utf16(&content), expected, "{content:?}");
        }
    }

    #[test]
    fn mac_roman_is_assumed_where_more_bytes_are_its_letters() {
        for (content, expected) in [
            (&b"S\x9fd"[..], true),
            (b"\x8Ecole", true),
            (b"caf\x8E", true),
            (b"S\xFCd", false),
            (b"Stra\xDFe", false),
            (b"S\x9fd S\xFCd", false),
            (b"S\x9fd S\x9fd S\xFCd", true),
            (b"S\x9fd S\xFCd S\xFCd", false),
            (b"5\x9f7 \x9f", false),
            (b"Gate\x85", false),
            (b"plain", false),
            (b"", false),
        ] {
            assert_eq!(is_mac_roman(content), expected, "{:?}", String::from_utf8_lossy(content));
        }
    }

    #[test]
    fn text_that_ends_within_a_character_is_read_as_utf_8() {
        for (content, expected, assumed) in [
            (&b"S\xC3\xBCd"[..], "Süd", false),
            (b"S\xC3", "S\u{fffd}", false),
            (b"area\xE5\x8A", "area\u{fffd}", false),
            (b"S\xC3d", "SÃd", true),
            (b"S\x9fd", "Süd", true),
            (b"\xEF\xBB\xBFS\xC3\xBCd", "Süd", false),
            (b"\xFF\xFES\0", "S", true),
            (b"", "", false),
        ] {
            let mut findings = Findings::default();
            assert_eq!(decode(content, &mut findings), expected);
            assert_eq!(!findings.into_list().is_empty(), assumed, "{expected}");
        }
    }
}
