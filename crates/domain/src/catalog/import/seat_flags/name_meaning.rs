//! Decides whether a name (of an area, row, seat or category) affirms or denies that seats are for wheelchairs or companions.
//!
//! A denied word sets no flag, as in `not wheelchair accessible`.

use super::flag_words::flag_of_word;
use super::vocabulary::{DENIALS, DENYING_PREFIXES, PHRASES, STEMS, WEAK_WORDS, WHOLE_WORDS};
use crate::catalog::layout::SeatFlag;

/// Distance in words from a denial to a denied word after it.
const DENIED_WORDS_AFTER_MAX: usize = 4;
/// Distance in words from a denial to a denied word before it: `wheelchair access: no`.
const DENIED_WORDS_BEFORE_MAX: usize = 3;

/// What a name says about a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Meaning {
    /// The seats have the flag.
    Affirms(SeatFlag),
    /// The seats do not have the flag.
    Denies(SeatFlag),
}

/// A word for a flag within a name.
struct Mention {
    at: usize,
    flag: SeatFlag,
    /// Sufficient to set the flag.
    strong: bool,
    denied: bool,
}

/// The meaning of a name such as the category `Wheelchair spaces (left)`; `None` where no word is about a flag.
pub(in super::super) fn meaning_of_name(name: &str) -> Option<Meaning> {
    if let Some(flag) = flag_of_word(name).filter(|flag| *flag != SeatFlag::RestrictedView) {
        return Some(Meaning::Affirms(flag));
    }
    let mut text = crate::text::folded(name);
    for (phrase, word) in PHRASES {
        text = replaced(text, phrase, word);
    }
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '♿').filter(|word| !word.is_empty()).collect();
    let mut mentions: Vec<Mention> = words.iter().enumerate().filter_map(|(at, word)| mention(at, word)).collect();
    if mentions.is_empty() {
        return None;
    }
    for at in (0..words.len()).filter(|at| is_denial(&words, *at)) {
        deny(&mut mentions, at);
    }
    let denied = |flag: SeatFlag| mentions.iter().any(|mention| mention.flag == flag && mention.denied);
    let flags = STEMS.iter().map(|(flag, _)| *flag);
    let affirmed =
        |flag: &SeatFlag| mentions.iter().any(|mention| mention.flag == *flag && mention.strong) && !denied(*flag);
    flags
        .clone()
        .find(affirmed)
        .map(Meaning::Affirms)
        .or_else(|| flags.clone().find(|flag| denied(*flag)).map(Meaning::Denies))
}

/// Applies the denial at `at` to the next mention, else to the one before.
fn deny(mentions: &mut [Mention], at: usize) {
    let ahead = mentions.iter().position(|mention| mention.at > at && mention.at - at <= DENIED_WORDS_AFTER_MAX);
    let back = || mentions.iter().rposition(|mention| mention.at < at && at - mention.at <= DENIED_WORDS_BEFORE_MAX);
    if let Some(mention) = ahead.or_else(back) {
        mentions[mention].denied = true;
    }
}

/// True for a denial; `No 5` is a number.
fn is_denial(words: &[&str], at: usize) -> bool {
    let numbers = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    DENIALS.contains(&words[at]) && !(words[at] == "no" && words.get(at + 1).is_some_and(numbers))
}

fn mention(at: usize, word: &str) -> Option<Mention> {
    let prefix = DENYING_PREFIXES.iter().find_map(|prefix| {
        let rest = word.strip_prefix(prefix)?;
        flag_in_word(rest).filter(|_| begins_with_flag_word(rest))
    });
    let (flag, strong) = prefix.or_else(|| flag_in_word(word))?;
    Some(Mention { at, flag, strong, denied: prefix.is_some() })
}

fn begins_with_flag_word(word: &str) -> bool {
    WEAK_WORDS.contains(&word) || STEMS.iter().any(|(_, stems)| stems.iter().any(|stem| word.starts_with(stem)))
}

/// The flag that a word is about, and whether the word is sufficient to set it.
fn flag_in_word(word: &str) -> Option<(SeatFlag, bool)> {
    let has = |stems: &[&str]| stems.iter().any(|stem| word.contains(stem));
    if let Some((flag, _)) = STEMS.iter().find(|(_, stems)| has(stems)) {
        return Some((*flag, true));
    }
    let strong = WHOLE_WORDS.contains(&word);
    (strong || WEAK_WORDS.contains(&word)).then_some((SeatFlag::Accessible, strong))
}

/// Replaces each whole-word occurrence of `phrase`.
fn replaced(text: String, phrase: &str, by: &str) -> String {
    let inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_whole_word = |(at, found): &(usize, &str)| {
        !inner(text[..*at].chars().next_back()) && !inner(text[*at + found.len()..].chars().next())
    };
    let found: Vec<usize> = text.match_indices(phrase).filter(is_whole_word).map(|(at, _)| at).collect();
    if found.is_empty() {
        return text;
    }
    let mut replaced = text.clone();
    for at in found.into_iter().rev() {
        replaced.replace_range(at..at + phrase.len(), by);
    }
    replaced
}
