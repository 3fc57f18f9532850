//! The simpler texts that a password is a small change of: without separators, repeats, edges of digits, accents and the shift key.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Fewer characters than this are cut at the edges.
const CUT_BELOW: usize = 8;
/// What the shift key makes of the digits of most keyboards, and the digits.
const SHIFTED: (&str, &str) = ("!@#$%^&*()", "1234567890");
/// The letters of a Russian keyboard, and what the same keys write on a Latin one.
const RUSSIAN_KEYS: (&str, &str) = ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.");
/// Words shorter than this are parts of too many others.
const WORD_LEAST: usize = 3;

/// Every form of a text, the text itself left out.
pub fn forms(text: &str) -> BTreeSet<String> {
    let plain = without_marks(text);
    let lower = plain.to_lowercase();
    let unshifted = translated(&lower, SHIFTED);
    // Accents that a Russian letter has by itself are no marks here.
    let keys = translated(&text.to_lowercase(), RUSSIAN_KEYS);
    let mut forms = BTreeSet::new();
    for form in [text, &plain, &unshifted, &keys] {
        for form in [form.to_owned(), joined(form)] {
            let once = collapsed(&form);
            forms.extend([without_edges(&form), without_edges(&once)].into_iter().flatten());
            forms.extend([form, once]);
        }
    }
    forms.remove(text);
    forms.remove("");
    forms
}

/// A name in the ways that people write it in a password: whole, without blanks, word by word, and with its words in reversed order.
pub fn spellings(name: &str) -> Vec<String> {
    let name = without_marks(&name.nfkc().collect::<String>()).to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let reversed: Vec<&str> = words.iter().rev().copied().collect();
    let whole = [name.trim().to_owned(), words.concat(), words.join(" "), reversed.concat(), reversed.join(" ")];
    let each = words.iter().map(|word| (*word).to_owned());
    whole.into_iter().chain(each).filter(|spelling| spelling.chars().count() >= WORD_LEAST).collect()
}

/// Each run of a unit that is repeated, once.
pub fn collapsed(text: &str) -> String {
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

fn joined(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Without what is no letter at both ends, where that is little and not all.
fn without_edges(text: &str) -> Option<String> {
    let kept = text.trim_matches(|c: char| !c.is_alphabetic());
    let cut = text.chars().count() - kept.chars().count();
    (!kept.is_empty() && (1..CUT_BELOW).contains(&cut)).then(|| kept.to_owned())
}

fn translated(text: &str, (from, to): (&str, &str)) -> String {
    let other = |c: char| from.chars().position(|known| known == c).and_then(|at| to.chars().nth(at)).unwrap_or(c);
    text.chars().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_unit_is_one() {
        for (text, expected) in [
            ("abcabcabc", "abc"),
            ("aaaa", "a"),
            ("1qaz1qaz2wsx2wsx", "1qaz2wsx"),
            ("abcd", "abcd"),
            ("", ""),
            ("éaéa", "éa"),
        ] {
            assert_eq!(collapsed(text), expected, "{text}");
        }
    }

    #[test]
    fn edges_are_cut_below_eight_characters() {
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
    fn a_name_has_its_spellings() {
        let spellings = spellings("Ann  Ashley-Brówn");
        for expected in
            ["annashleybrown", "brownashleyann", "brown ashley ann", "ann ashley brown", "ann", "ashley", "brown"]
        {
            assert!(spellings.iter().any(|spelling| spelling == expected), "{expected}: {spellings:?}");
        }
        assert!(super::spellings("Bo X").iter().all(|spelling| spelling.chars().count() >= WORD_LEAST));
    }

    #[test]
    fn forms_are_what_a_guesser_tries() {
        for (text, expected) in [
            ("p-a-s-s w o r d", "password"),
            ("passwoŕd1234", "password"),
            ("1qaz!QAZ2wsx@WSX", "1qaz2wsx"),
            ("йцукенгшщзхъ", "qwertyuiop[]"),
            ("пароль123456", "gfhjkm"),
        ] {
            assert!(forms(text).contains(expected), "{text}: {:?}", forms(text));
        }
    }
}
