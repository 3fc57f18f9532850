//! `#[allow]` and `#[expect]` carry a reason; `#[ignore]` and `#[should_panic]` do not occur.

use super::house::{File, House};
use super::{Finding, Law};

/// The law.
pub struct Attributes;

impl Law for Attributes {
    fn name(&self) -> &'static str {
        "attributes"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house.rust().flat_map(in_file).collect()
    }
}

fn in_file(file: &File) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    let mut find = |line, message: String, cure: &str| findings.push(Finding::new(&file.path, line, message, cure));
    let openings = (0..tokens.0.len())
        .filter(|index| tokens.matches(*index, &["#", "["]) || tokens.matches(*index, &["#", "!", "["]));
    for start in openings {
        let bracket = if tokens.matches(start, &["#", "["]) { start + 1 } else { start + 2 };
        let inside = &tokens.0[bracket + 1..tokens.0[bracket].partner];
        let Some(name) = inside.first() else { continue };
        match name.text.as_str() {
            "ignore" => find(name.line, "an ignored test shows nothing".into(), "run it, or delete it"),
            "should_panic" => {
                let cure = "assert on the error that is returned";
                find(name.line, "a test that wants a panic passes for any panic".into(), cure);
            }
            "allow" | "expect" | "cfg_attr" => {
                let silences = inside.iter().any(|token| matches!(token.text.as_str(), "allow" | "expect"));
                if silences && !inside.iter().any(|token| token.text == "reason") {
                    find(
                        name.line,
                        "a lint is silenced without a reason".into(),
                        "mend the code, or add `reason = \"…\"`",
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
    fn each_attribute_is_judged() {
        for (source, breaches) in [
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
            assert_eq!(Attributes.check(&House::of(&[("a.rs", source)])).len(), breaches, "{source}");
        }
    }
}
