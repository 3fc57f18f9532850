//! Sorts labels in natural order: 2 before 10, A2 before A10, Z before AA, V before IX in a list of Roman numbers; without case and width.

use unicode_normalization::UnicodeNormalization;

/// Runs of at most this many letters are ordered by length first, as row names are: A to Z, then AA.
const COUNTING_LETTERS_MAX: usize = 2;

/// The natural order of one list of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NaturalOrder {
    is_roman: bool,
}

/// The sort key of a label. Labels that differ only in leading zeros, case or width are ordered by their text, so that the order is total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NaturalKey {
    runs: Vec<Run>,
    label: String,
}

/// A run of digits or of other characters; numbers come before letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Run {
    /// Length and digits, without leading zeros; a number may be too long for an integer.
    Number(usize, String),
    Letters(usize, String),
}

/// Sorts items by label in natural order; the sort is stable.
pub fn sort_naturally<T>(items: &mut [T], label: impl Fn(&T) -> &str) {
    let order = NaturalOrder::of(items.iter().map(&label));
    items.sort_by_cached_key(|item| order.key(label(item)));
}

impl NaturalOrder {
    /// The order for these labels: as Roman numbers where all of them are Roman and one has several letters.
    #[must_use]
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        let mut has_several_letters = false;
        for label in labels {
            let label = folded(label);
            if roman(&label).is_none() {
                return Self { is_roman: false };
            }
            has_several_letters |= label.chars().count() > 1;
        }
        Self { is_roman: has_several_letters }
    }

    /// The sort key of a label.
    #[must_use]
    pub fn key(self, label: &str) -> NaturalKey {
        let folded = folded(label);
        let runs = match roman(&folded).filter(|_| self.is_roman) {
            Some(value) => vec![number(&value.to_string())],
            None => runs(&folded),
        };
        NaturalKey { runs, label: label.to_owned() }
    }
}

fn folded(label: &str) -> String {
    label.trim().nfkc().flat_map(char::to_lowercase).collect()
}

fn runs(mut rest: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    while !rest.is_empty() {
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        runs.push(if digits { number(run) } else { letters(run) });
        rest = after;
    }
    runs
}

fn number(digits: &str) -> Run {
    let digits = digits.trim_start_matches('0');
    Run::Number(digits.len(), digits.to_owned())
}

fn letters(run: &str) -> Run {
    let count = run.chars().count();
    let counts = count <= COUNTING_LETTERS_MAX && run.chars().all(char::is_alphabetic);
    Run::Letters(if counts { count } else { COUNTING_LETTERS_MAX + 1 }, run.to_owned())
}

/// The value of a Roman number below 400 in its standard spelling, in small letters.
fn roman(text: &str) -> Option<u32> {
    const VALUES: [(u32, &str); 9] =
        [(100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")];
    let (mut value, mut rest) = (0, text);
    for (worth, letters) in VALUES {
        let repeats_max = if matches!(worth, 1 | 10 | 100) { 3 } else { 1 };
        for _ in 0..repeats_max {
            let Some(after) = rest.strip_prefix(letters) else { break };
            (value, rest) = (value + worth, after);
        }
    }
    (rest.is_empty() && value > 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_in_natural_order() {
        for (listed, expected) in [
            ("1 10 11 2 3", "1 2 3 10 11"),
            ("A10 A2 a1 B1", "a1 A2 A10 B1"),
            ("10a 10 9b 9a", "9a 9b 10 10a"),
            ("2 02 1", "1 02 2"),
            ("AA Z A CC BB", "A Z AA BB CC"),
            ("Stalls Box C Balcony", "C Balcony Box Stalls"),
            ("１０ ２ １", "１ ２ １０"),
            ("X I IX V II IV", "I II IV V IX X"),
            ("xl xi XIX", "xi XIX xl"),
            // Not all of them are numbers, or none is longer than a letter.
            ("IX V A", "A V IX"),
            ("V I C", "C I V"),
            (
                "99999999999999999999999 100000000000000000000000 1",
                "1 99999999999999999999999 100000000000000000000000",
            ),
            ("A-10 A-9 10 B", "10 B A-9 A-10"),
        ] {
            let mut labels: Vec<&str> = listed.split(' ').collect();
            sort_naturally(&mut labels, |label| label);
            assert_eq!(labels.join(" "), expected);
        }
    }

    #[test]
    fn only_standard_spellings_are_roman_numbers() {
        for (text, value) in
            [("i", 1), ("iii", 3), ("iv", 4), ("xiv", 14), ("xcix", 99), ("ccc", 300), ("cccxcix", 399)]
        {
            assert_eq!(roman(text), Some(value), "{text}");
        }
        for text in ["", "iiii", "vv", "ic", "iix", "a", "i1", "cccc"] {
            assert_eq!(roman(text), None, "{text}");
        }
    }
}
