//! Refuses `.unwrap()` in shipped code, and `.expect("…")` without a reason of three words.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

const REASON_WORDS_MIN: usize = 3;

pub struct UnwrapsRule;

impl Rule for UnwrapsRule {
    fn name(&self) -> &'static str {
        "unwraps"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.rust_below("crates/").filter(|file| !file.is_test()).flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for index in tokens.find(&[".", "unwrap", "(", ")"]).filter(|index| !tokens.0[*index].is_test) {
        let fix = "return the error with `?`, or state with `expect` why it cannot occur";
        findings.push(Finding::new(&file.path, tokens.0[index].line, "unwrap can panic", fix));
    }
    for index in tokens.find(&[".", "expect", "("]).filter(|index| !tokens.0[*index].is_test) {
        let reason = tokens.string(index + 3);
        if reason.is_some_and(|reason| reason.split_whitespace().count() < REASON_WORDS_MIN) {
            let fix = "state in a sentence why it cannot fail, or return the error with `?`";
            findings.push(Finding::new(&file.path, tokens.0[index].line, "expect without a reason", fix));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwrap_and_expect_without_a_reason_are_found() {
        for (source, violations) in [
            ("fn a() { b()?; c().unwrap_or(1); }", 0),
            ("fn a() { b().unwrap(); }", 1),
            ("fn a() { b().expect(\"works\"); }", 1),
            ("fn a() { b().expect(\"a MAC takes keys of any length\"); }", 0),
            ("#[cfg(test)] mod tests { fn a() { b().unwrap(); } }", 0),
        ] {
            assert_eq!(
                UnwrapsRule.check(&Workspace::of(&[("crates/a/src/lib.rs", source)])).len(),
                violations,
                "{source}"
            );
        }
    }
}
