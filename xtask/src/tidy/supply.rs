//! Checks licence, ban and source of every external crate against deny.toml, with `cargo metadata` alone.
//!
//! Why not cargo-deny: this rule needs neither that program nor a network.

use toml::{Table, Value};

use super::workspace::{ExternalPackage, Workspace};
use super::{Finding, Rule};

const RULES: &str = "deny.toml";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub struct SupplyRule;

impl Rule for SupplyRule {
    fn name(&self) -> &'static str {
        "supply"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let rules = workspace.file(RULES).and_then(|file| file.text.parse::<Table>().ok());
        let Some(rules) = rules else {
            return vec![Finding::new(RULES, 1, "the file is missing or is not TOML", "restore the file")];
        };
        let allowed = strings(&rules, "licenses", "allow");
        let banned = strings(&rules, "bans", "deny");
        let mut findings = Vec::new();
        for external in &workspace.externals {
            let line = workspace.file("Cargo.toml").map_or(1, |file| file.line_of(&format!("{} =", external.name)));
            let mut find = |message: String, fix: &str| findings.push(Finding::new("Cargo.toml", line, message, fix));
            let ExternalPackage { name, version, licence, source } = external;
            if source != CRATES_IO {
                find(format!("{name} {version} comes from {source}"), "take it from crates.io");
            }
            if banned.contains(name) {
                find(
                    format!("{name} {version} is banned by {RULES}"),
                    "read the reason there; choose other features or another crate",
                );
            }
            let expression = licence.clone().or_else(|| clarified(&rules, name));
            match expression {
                None => find(format!("{name} {version} states no licence"), "read it, then clarify it in deny.toml"),
                Some(expression) if !is_allowed(&expression, &allowed) => {
                    find(
                        format!("{name} {version} is under {expression}"),
                        "another crate, or allow the licence in deny.toml",
                    );
                }
                Some(_) => {}
            }
        }
        findings
    }
}

/// The strings of an array whose items are strings, or tables with a `crate` or `name`.
fn strings(rules: &Table, table: &str, key: &str) -> Vec<String> {
    let items = rules.get(table).and_then(|table| table.get(key)?.as_array()).cloned().unwrap_or_default();
    let name = |item: &Value| {
        let inner = item.get("crate").or_else(|| item.get("name")).unwrap_or(item);
        inner.as_str().map(str::to_owned)
    };
    items.iter().filter_map(name).collect()
}

/// The expression that deny.toml states for a crate that states none.
fn clarified(rules: &Table, name: &str) -> Option<String> {
    let clarifications = rules.get("licenses")?.get("clarify")?.as_array()?;
    let own = clarifications.iter().find(|item| item.get("crate").and_then(Value::as_str) == Some(name))?;
    own.get("expression")?.as_str().map(str::to_owned)
}

/// True if the allowed licences satisfy an SPDX expression; `/` is an old spelling of `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let is_met = any(&mut rest, allowed);
    is_met && rest.is_empty()
}

fn any(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_met = all(words, allowed);
    while let ["OR", rest @ ..] = words {
        *words = rest;
        // The right side is parsed even if the left is met, because it must be consumed.
        let other = all(words, allowed);
        is_met = is_met || other;
    }
    is_met
}

fn all(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_met = one(words, allowed);
    while let ["AND", rest @ ..] = words {
        *words = rest;
        let other = one(words, allowed);
        is_met = is_met && other;
    }
    is_met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    match words {
        ["(", rest @ ..] => {
            *words = rest;
            let is_met = any(words, allowed);
            if let [")", rest @ ..] = words {
                *words = rest;
            }
            is_met
        }
        [licence, "WITH", exception, rest @ ..] => {
            let full = format!("{licence} WITH {exception}");
            let is_met = allowed.contains(&full) || allowed.iter().any(|own| own == licence);
            *words = rest;
            is_met
        }
        [licence, rest @ ..] => {
            let is_met = allowed.iter().any(|own| own == licence);
            *words = rest;
            is_met
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\nclarify = [{ crate = \"odd\", expression = \"MIT\" }]\n[bans]\ndeny = [{ crate = \"openssl\", reason = \"x\" }]\n";

    #[test]
    fn licence_expressions_are_evaluated() {
        let allowed = vec!["MIT".to_owned(), "Apache-2.0".to_owned()];
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Apache-2.0", true),
            ("(MIT OR GPL-3.0) AND ISC", false),
            ("Apache-2.0 WITH LLVM-exception OR ISC", true),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn crate_with_a_wrong_source_ban_or_licence_is_found() {
        for (name, licence, source, violations) in [
            ("good", Some("MIT"), CRATES_IO, 0),
            ("odd", None, CRATES_IO, 0),
            ("silent", None, CRATES_IO, 1),
            ("viral", Some("GPL-3.0"), CRATES_IO, 1),
            ("openssl", Some("MIT"), CRATES_IO, 1),
            ("forked", Some("MIT"), "git+https://example.com/forked", 1),
        ] {
            let mut workspace = Workspace::of(&[(RULES, TEXT)]);
            let licence = licence.map(str::to_owned);
            workspace.externals =
                vec![ExternalPackage { name: name.into(), version: "1.0.0".into(), licence, source: source.into() }];
            assert_eq!(SupplyRule.check(&workspace).len(), violations, "{name}");
        }
    }

    #[test]
    fn missing_deny_toml_is_found() {
        assert_eq!(SupplyRule.check(&Workspace::of(&[])).len(), 1);
    }
}
