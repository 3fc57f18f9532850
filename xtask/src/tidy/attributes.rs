//! Requires a reason in `#[allow]` and `#[expect]`, and refuses `#[ignore]` and `#[should_panic]`.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct AttributesRule;

impl Rule for AttributesRule {
    fn name(&self) -> &'static str {
        "attributes"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.rust().flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    let mut find = |line, message: String, fix: &str| findings.push(Finding::new(&file.path, line, message, fix));
    let openings = (0..tokens.0.len())
        .filter(|index| tokens.matches(*index, &["#", "["]) || tokens.matches(*index, &["#", "!", "["]));
    for start in openings {
        let bracket = if tokens.matches(start, &["#", "["]) { start + 1 } else { start + 2 };
        let inside = &tokens.0[bracket + 1..tokens.0[bracket].partner];
        let Some(name) = inside.first() else { continue };
        match name.text.as_str() {
            "ignore" => find(name.line, "a test is ignored".into(), "run it, or delete it"),
            "should_panic" => {
                let fix = "assert on the error that is returned";
                find(name.line, "should_panic passes for any panic".into(), fix);
            }
            "allow" | "expect" | "cfg_attr" => {
                let silences = inside.iter().any(|token| matches!(token.text.as_str(), "allow" | "expect"));
                if silences && !inside.iter().any(|token| token.text == "reason") {
                    find(
                        name.line,
                        "a lint is silenced without a reason".into(),
                        "fix the code, or add `reason = \"…\"`",
                    );
                }
            }
            _ => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_without_reason_and_ignored_test_are_found() {
        for (source, violations) in [
            ("#[test] fn a() {}", 0),
            ("#[allow(dead_code)] fn a() {}", 1),
            ("#![allow(dead_code)]", 1),
            ("#[expect(dead_code)] fn a() {}", 1),
            ("#[allow(dead_code, reason = \"why\")] fn a() {}", 0),
            ("#[cfg_attr(test, allow(dead_code))] fn a() {}", 1),
            ("#[cfg_attr(test, derive(Debug))] struct A;", 0),
            ("#[test] #[ignore] fn a() {}", 1),
            ("#[test] #[ignore = \"slow\"] fn a() {}", 1),
            ("#[test] #[should_panic(expected = \"x\")] fn a() {}", 1),
            ("// #[ignore]\nconst A: &str = \"#[ignore]\";", 0),
        ] {
            assert_eq!(AttributesRule.check(&Workspace::of(&[("a.rs", source)])).len(), violations, "{source}");
        }
    }
}
