//! Derives simpler variants of a password (without separators, repeats, outer digits, accents and the shift key), as an attacker would try them.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters that [`without_edges`] removes at most.
const EDGE_CHARS_MAX: usize = 7;
/// The characters on the shifted digit keys of most keyboards, and the digits.
const SHIFTED_DIGITS: (&str, &str) = ("!@#$%^&*()", "1234567890");
/// The letters of a Russian keyboard, and the characters of the same keys on a Latin one.
const RUSSIAN_KEYS: (&str, &str) = ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.");
/// Shorter words are parts of too many other words.
const SPELLING_CHARS_MIN: usize = 3;

/// Every variant of a text except the text itself.
pub fn variants(text: &str) -> BTreeSet<String> {
    let plain = without_marks(text);
    let lower = plain.to_lowercase();
    let unshifted = translated(&lower, SHIFTED_DIGITS);
    // From the text with its marks: `й` and `ё` are keys of their own.
    let keys = translated(&text.to_lowercase(), RUSSIAN_KEYS);
    let mut variants = BTreeSet::new();
    for base in [text, &plain, &unshifted, &keys] {
        for variant in [base.to_owned(), alphanumeric(base)] {
            let once = without_repeats(&variant);
            variants.extend([without_edges(&variant), without_edges(&once)].into_iter().flatten());
            variants.extend([variant, once]);
        }
    }
    variants.remove(text);
    variants.remove("");
    variants
}

/// The ways in which people write a name in a password: whole, without blanks, word by word, and in reversed order.
pub fn name_spellings(name: &str) -> Vec<String> {
    let name = without_marks(&name.nfkc().collect::<String>()).to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let reversed: Vec<&str> = words.iter().rev().copied().collect();
    let whole = [name.trim().to_owned(), words.concat(), words.join(" "), reversed.concat(), reversed.join(" ")];
    let each = words.iter().map(|word| (*word).to_owned());
    whole.into_iter().chain(each).filter(|spelling| spelling.chars().count() >= SPELLING_CHARS_MIN).collect()
}

/// Replaces each run of a repeated unit by one unit: `abcabc` becomes `abc`.
pub fn without_repeats(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut kept: Vec<char> = Vec::with_capacity(characters.len());
    for character in characters {
        kept.push(character);
        let repeats = |unit: &usize| kept[kept.len() - unit..] == kept[kept.len() - 2 * unit..kept.len() - unit];
        if let Some(unit) = (1..=kept.len() / 2).find(repeats) {
            kept.truncate(kept.len() - unit);
        }
    }
    kept.into_iter().collect()
}

fn without_marks(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

fn alphanumeric(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Without the non-letters at both ends; `None` where there are none, too many, or nothing else.
fn without_edges(text: &str) -> Option<String> {
    let kept = text.trim_matches(|c: char| !c.is_alphabetic());
    let cut = text.chars().count() - kept.chars().count();
    (!kept.is_empty() && (1..=EDGE_CHARS_MAX).contains(&cut)).then(|| kept.to_owned())
}

fn translated(text: &str, (from, to): (&str, &str)) -> String {
    let other = |c: char| from.chars().position(|known| known == c).and_then(|at| to.chars().nth(at)).unwrap_or(c);
    text.chars().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_unit_is_kept_once() {
        for (text, expected) in [
            ("abcabcabc", "abc"),
            ("aaaa", "a"),
            ("1qaz1qaz2wsx2wsx", "1qaz2wsx"),
            ("abcd", "abcd"),
            ("", ""),
            ("éaéa", "éa"),
        ] {
            assert_eq!(without_repeats(text), expected, "{text}");
        }
    }

    #[test]
    fn up_to_seven_non_letters_at_the_edges_are_removed() {
        for (text, expected) in [
            ("Summer2026!!", Some("Summer")),
            ("1234567word", Some("word")),
            ("12345678word", None),
            ("123word4567", Some("word")),
            ("123word45678", None),
            ("word", None),
            ("1234", None),
            ("", None),
        ] {
            assert_eq!(without_edges(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn name_spellings_are_joined_reversed_and_single_words() {
        let spellings = name_spellings("Ann  Ashley-Brówn");
        for expected in
            ["annashleybrown", "brownashleyann", "brown ashley ann", "ann ashley brown", "ann", "ashley", "brown"]
        {
            assert!(spellings.iter().any(|spelling| spelling == expected), "{expected}: {spellings:?}");
        }
        assert!(super::name_spellings("Bo X").iter().all(|spelling| spelling.chars().count() >= SPELLING_CHARS_MIN));
    }

    #[test]
    fn variants_contain_the_simpler_text() {
        for (text, expected) in [
            ("p-a-s-s w o r d", "password"),
            ("passwoŕd1234", "password"),
            ("1qaz!QAZ2wsx@WSX", "1qaz2wsx"),
            ("йцукенгшщзхъ", "qwertyuiop[]"),
            ("пароль123456", "gfhjkm"),
        ] {
            assert!(variants(text).contains(expected), "{text}: {:?}", variants(text));
        }
    }
}
