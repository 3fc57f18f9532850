//! What ships does not panic by habit: no `.unwrap()`; an `.expect("…")` says why it cannot fail.

use super::house::{File, House};
use super::{Finding, Law};

/// A reason has at least this many words.
const WORDS: usize = 3;

/// The law.
pub struct Unwraps;

impl Law for Unwraps {
    fn name(&self) -> &'static str {
        "unwraps"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house.rust_below("crates/").filter(|file| !file.is_test()).flat_map(in_file).collect()
    }
}

fn in_file(file: &File) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for index in tokens.find(&[".", "unwrap", "(", ")"]).filter(|index| !tokens.0[*index].is_test) {
        let cure = "hand the error on with `?`, or say with `expect` why there is none";
        findings.push(Finding::new(&file.path, tokens.0[index].line, "an unwrap can end the process", cure));
    }
    for index in tokens.find(&[".", "expect", "("]).filter(|index| !tokens.0[*index].is_test) {
        let reason = tokens.string(index + 3);
        if reason.is_some_and(|reason| reason.split_whitespace().count() < WORDS) {
            let cure = "say in a sentence why it cannot fail, or hand the error on with `?`";
            findings.push(Finding::new(&file.path, tokens.0[index].line, "an expect without a reason", cure));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reasons_keep_a_panic() {
        for (source, breaches) in [
            ("fn a() { b()?; c().unwrap_or(1); }", 0),
            ("fn a() { b().unwrap(); }", 1),
            ("fn a() { b().expect(\"works\"); }", 1),
            ("fn a() { b().expect(\"a MAC takes keys of any length\"); }", 0),
            ("#[cfg(test)] mod tests { fn a() { b().unwrap(); } }", 0),
        ] {
            assert_eq!(Unwraps.check(&House::of(&[("crates/a/src/lib.rs", source)])).len(), breaches, "{source}");
        }
    }
}
