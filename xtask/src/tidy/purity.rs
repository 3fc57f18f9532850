//! Refuses clocks, randomness, environment, async, I/O and hash maps in `domain`, so that its rules are deterministic.

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

/// Refused names, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    ("async", "fetch in `app` and pass the result"),
    ("await", "fetch in `app` and pass the result"),
    ("tokio", "fetch in `app` and pass the result"),
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
/// Refused paths.
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

pub struct PurityRule;

impl Rule for PurityRule {
    fn name(&self) -> &'static str {
        "purity"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.rust_below("crates/domain/src/").filter(|file| !file.is_test()).flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for (index, token) in
        tokens.0.iter().enumerate().filter(|(_, token)| token.kind == SyntaxKind::Ident && !token.is_test)
    {
        let name = BANNED.iter().find(|(name, _)| token.text == *name);
        let path = BANNED_PATHS.iter().find(|path| tokens.matches(index, path));
        let (what, fix) = match (name, path) {
            (Some((name, fix)), _) => ((*name).to_owned(), *fix),
            (_, Some(path)) => (path.concat(), "take the value as an argument"),
            _ => continue,
        };
        findings.push(Finding::new(&file.path, token.line, format!("`{what}` in the pure domain"), fix));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impure_code_in_domain_is_found() {
        for (source, violations) in [
            ("fn rule(now: Timestamp) -> Timestamp { now }", 0),
            ("/// An Instant, async.\nconst A: &str = \"HashMap\";", 0),
            ("async fn rule() {}", 1),
            ("use std::collections::HashMap;", 1),
            ("fn rule() { std::env::var(\"X\"); }", 1),
            ("fn rule() { Uuid::now_v7(); }", 1),
            ("#[cfg(test)] mod tests { use std::collections::HashSet; }", 0),
        ] {
            assert_eq!(
                PurityRule.check(&Workspace::of(&[("crates/domain/src/a.rs", source)])).len(),
                violations,
                "{source}"
            );
            assert!(PurityRule.check(&Workspace::of(&[("crates/app/src/a.rs", source)])).is_empty(), "{source}");
        }
    }
}
