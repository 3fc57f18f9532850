//! Compares labels as people count: 2 before 10, A2 before A10, without case.

use std::cmp::Ordering;

/// Natural order. Labels that differ only in leading zeros or case are ordered by their text, so that the order is total.
#[must_use]
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (a, rest_a) = run(left);
        let (b, rest_b) = run(right);
        let order = match (number(a), number(b)) {
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Some(_), None) if !b.is_empty() => Ordering::Less,
            (None, Some(_)) if !a.is_empty() => Ordering::Greater,
            _ => a.to_lowercase().cmp(&b.to_lowercase()),
        };
        if order != Ordering::Equal || (rest_a.is_empty() && rest_b.is_empty()) {
            return order.then_with(|| one.cmp(other));
        }
        (left, right) = (rest_a, rest_b);
    }
}

/// The leading digits, or what stands before the next digit; and the rest.
fn run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

/// A number without leading zeros, compared by length, then by digits: it may be longer than any integer.
fn number(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit()).then(|| run.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_ordered_as_people_count() {
        let sorted = |text: &str| {
            let mut labels: Vec<&str> = text.split(' ').collect();
            labels.sort_by(|a, b| natural(a, b));
            labels.join(" ")
        };
        for (listed, expected) in [
            ("1 10 11 2 3", "1 2 3 10 11"),
            ("A10 A2 a1 B1", "a1 A2 A10 B1"),
            ("10a 10 9b 9a", "9a 9b 10 10a"),
            ("2 02 1", "1 02 2"),
            ("AA Z A", "A AA Z"),
            (
                "99999999999999999999999 100000000000000000000000 1",
                "1 99999999999999999999999 100000000000000000000000",
            ),
            ("A-10 A-9 10 B", "10 A-9 A-10 B"),
        ] {
            assert_eq!(sorted(listed), expected);
        }
    }
}
