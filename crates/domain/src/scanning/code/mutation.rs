//! Mutates ticket codes for tests that no changed code is ever accepted.
//!
//! Never: returns the given code. All choices come from `random`, so a failure can be repeated. To add a kind: an arm, and raise the count.

use super::CODE_BYTES;
use crate::scanning::base45;

/// Flips one to four bits of `code` and keeps length and Base45 valid, so that only the signature can refuse the result; none where `code` is not a code.
#[must_use]
pub fn well_formed(code: &str, mut random: u64) -> Option<String> {
    let original = base45::decode(code).ok().filter(|bytes| bytes.len() == CODE_BYTES)?;
    let mut bytes = original.clone();
    for _ in 0..=draw(&mut random, 4) {
        let bit = draw(&mut random, CODE_BYTES * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    if bytes == original {
        bytes[draw(&mut random, CODE_BYTES)] ^= 1;
    }
    Some(base45::encode(&bytes))
}

/// Changes the text of `code`: replaces, adds, removes, swaps, doubles, truncates or lowers characters.
#[must_use]
pub fn any_text(code: &str, mut random: u64) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:abcxyz,_\n\0";
    let mut text: Vec<char> = code.chars().collect();
    let at = draw(&mut random, text.len().max(1));
    let other = draw(&mut random, text.len().max(1));
    let letter = char::from(LETTERS[draw(&mut random, LETTERS.len())]);
    match draw(&mut random, 7) {
        _ if text.is_empty() => text.push(letter),
        0 => text[at] = letter,
        1 => text.insert(at, letter),
        2 => drop(text.remove(at)),
        3 => text.swap(at, other),
        4 => text.truncate(at),
        5 => text.extend_from_within(at..),
        _ => text[at] = text[at].to_ascii_lowercase(),
    }
    let text = String::from_iter(text);
    if text == code { format!("{text}0") } else { text }
}

/// A number below `below` (at least 1) by splitmix64, so that neighbouring seeds give unrelated numbers. Not by `rand`, which no crate of the domain may use.
fn draw(random: &mut u64, below: usize) -> usize {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    usize::try_from(mixed % below.max(1) as u64).unwrap_or(0)
}
