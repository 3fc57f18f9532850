//! `domain` is pure: no clock, randomness, environment, async, I/O, or hash-map iteration order.
//!
//! What it needs of the outside are arguments, so that every rule can be replayed.

use super::house::{File, House};
use super::source::Kind;
use super::{Finding, Law};

/// Names that never occur in `domain`, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    ("async", "let `app` wait; give the rule what was fetched"),
    ("await", "let `app` wait; give the rule what was fetched"),
    ("tokio", "let `app` wait; give the rule what was fetched"),
    ("HashMap", "use BTreeMap, whose order is the same each time"),
    ("HashSet", "use BTreeSet, whose order is the same each time"),
    ("SystemTime", "take `now: Timestamp`"),
    ("Instant", "take `now: Timestamp`"),
    ("rand", "take the random numbers as an argument"),
    ("getrandom", "take the random numbers as an argument"),
    ("println", "return a value"),
    ("eprintln", "return a value"),
    ("tracing", "return a value; the caller logs"),
];
/// Paths that never occur in `domain`.
const BANNED_PATHS: &[&[&str]] = &[
    &["std", ":", ":", "env"],
    &["std", ":", ":", "fs"],
    &["std", ":", ":", "io"],
    &["std", ":", ":", "net"],
    &["std", ":", ":", "process"],
    &["std", ":", ":", "thread"],
    &["Timestamp", ":", ":", "now"],
    &["Zoned", ":", ":", "now"],
    &["Uuid", ":", ":", "now_v7"],
    &["Uuid", ":", ":", "new_v4"],
];

/// The law.
pub struct Purity;

impl Law for Purity {
    fn name(&self) -> &'static str {
        "purity"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house.rust_below("crates/domain/src/").filter(|file| !file.is_test()).flat_map(in_file).collect()
    }
}

fn in_file(file: &File) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for (index, token) in tokens.0.iter().enumerate().filter(|(_, token)| token.kind == Kind::Ident && !token.is_test) {
        let name = BANNED.iter().find(|(name, _)| token.text == *name);
        let path = BANNED_PATHS.iter().find(|path| tokens.matches(index, path));
        let (what, cure) = match (name, path) {
            (Some((name, cure)), _) => ((*name).to_owned(), *cure),
            (_, Some(path)) => (path.concat(), "take what it would fetch as an argument"),
            _ => continue,
        };
        findings.push(Finding::new(&file.path, token.line, format!("`{what}` in the pure domain"), cure));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outside_is_found_and_values_are_not() {
        for (source, breaches) in [
            ("fn rule(now: Timestamp) -> Timestamp { now }", 0),
            ("/// An Instant, async.\nconst A: &str = \"HashMap\";", 0),
            ("async fn rule() {}", 1),
            ("use std::collections::HashMap;", 1),
            ("fn rule() { std::env::var(\"X\"); }", 1),
            ("fn rule() { Uuid::now_v7(); }", 1),
            ("#[cfg(test)] mod tests { use std::collections::HashSet; }", 0),
        ] {
            assert_eq!(Purity.check(&House::of(&[("crates/domain/src/a.rs", source)])).len(), breaches, "{source}");
            assert!(Purity.check(&House::of(&[("crates/app/src/a.rs", source)])).is_empty(), "{source}");
        }
    }
}
