//! Reads whether a name says that seats are for wheelchairs or companions, or denies it: `not wheelchair accessible` marks nothing.
//!
//! Never: a mark by a word that is denied.

use super::flag;
use super::words::{DENIALS, DENYING_PREFIXES, PHRASES, STEMS, WEAK, WHOLE};
use crate::catalog::layout::SeatFlag;

/// A denial stands at most so many words before what it denies.
const DENIES_AHEAD: usize = 4;
/// A denial stands at most so many words after what it denies: `wheelchair access: no`.
const DENIES_BACK: usize = 3;

/// What a name says of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Meaning {
    /// The seats are so.
    Says(SeatFlag),
    /// They are not.
    Denies(SeatFlag),
}

/// A word for a mark.
struct Mention {
    at: usize,
    flag: SeatFlag,
    /// Enough to mark a seat.
    strong: bool,
    denied: bool,
}

/// What a name says somewhere, e.g. a category `Wheelchair spaces (left)`; none where it says nothing of a mark.
pub(in super::super) fn meaning(name: &str) -> Option<Meaning> {
    if let Some(flag) = flag(name).filter(|flag| *flag != SeatFlag::RestrictedView) {
        return Some(Meaning::Says(flag));
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
    let said =
        |flag: &SeatFlag| mentions.iter().any(|mention| mention.flag == *flag && mention.strong) && !denied(*flag);
    flags
        .clone()
        .find(said)
        .map(Meaning::Says)
        .or_else(|| flags.clone().find(|flag| denied(*flag)).map(Meaning::Denies))
}

/// The denial at `at` is of the next mention, else of the one before.
fn deny(mentions: &mut [Mention], at: usize) {
    let ahead = mentions.iter().position(|mention| mention.at > at && mention.at - at <= DENIES_AHEAD);
    let back = || mentions.iter().rposition(|mention| mention.at < at && at - mention.at <= DENIES_BACK);
    if let Some(mention) = ahead.or_else(back) {
        mentions[mention].denied = true;
    }
}

/// `No 5` is a number.
fn is_denial(words: &[&str], at: usize) -> bool {
    let numbers = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    DENIALS.contains(&words[at]) && !(words[at] == "no" && words.get(at + 1).is_some_and(numbers))
}

fn mention(at: usize, word: &str) -> Option<Mention> {
    let prefix = DENYING_PREFIXES.iter().find_map(|prefix| {
        let rest = word.strip_prefix(prefix)?;
        kind(rest).filter(|_| begins_with_mark(rest))
    });
    let (flag, strong) = prefix.or_else(|| kind(word))?;
    Some(Mention { at, flag, strong, denied: prefix.is_some() })
}

fn begins_with_mark(word: &str) -> bool {
    WEAK.contains(&word) || STEMS.iter().any(|(_, stems)| stems.iter().any(|stem| word.starts_with(stem)))
}

/// The flag that a word speaks of, and whether it is enough to mark a seat.
fn kind(word: &str) -> Option<(SeatFlag, bool)> {
    let has = |stems: &[&str]| stems.iter().any(|stem| word.contains(stem));
    if let Some((flag, _)) = STEMS.iter().find(|(_, stems)| has(stems)) {
        return Some((*flag, true));
    }
    let strong = WHOLE.contains(&word);
    (strong || WEAK.contains(&word)).then_some((SeatFlag::Accessible, strong))
}

/// The text with each `phrase` that stands by itself replaced.
fn replaced(text: String, phrase: &str, by: &str) -> String {
    let inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let stands = |(at, found): &(usize, &str)| {
        !inner(text[..*at].chars().next_back()) && !inner(text[*at + found.len()..].chars().next())
    };
    let found: Vec<usize> = text.match_indices(phrase).filter(stands).map(|(at, _)| at).collect();
    if found.is_empty() {
        return text;
    }
    let mut replaced = text.clone();
    for at in found.into_iter().rev() {
        replaced.replace_range(at..at + phrase.len(), by);
    }
    replaced
}
