//! Requires that every metric is defined in `crates/telemetry/src/metrics/`, and that shipped code calls each metric's function.

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

const LIST: &str = "crates/telemetry/src/metrics/";
/// Macros of the `metrics` facade, which would create a metric outside of the list.
const MACROS: &[&str] = &["counter", "gauge", "histogram", "describe_counter", "describe_gauge", "describe_histogram"];

pub struct MetricsRule;

impl Rule for MetricsRule {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let ships = || workspace.rust_below("crates/").filter(|file| !file.is_test());
        let unlisted = ships().filter(|file| !file.path.starts_with("crates/telemetry/")).flat_map(unlisted);
        let uncalled = workspace.rust_below(LIST).filter(|file| !file.is_test()).flat_map(|file| {
            functions(file)
                .into_iter()
                .filter(|(name, _)| !ships().any(|other| other.path != file.path && calls(other, name)))
                .map(|(name, line)| {
                    let message = format!("no shipped code calls `{name}`, so its metric never changes");
                    Finding::new(&file.path, line, message, "call it where the event happens, or delete it")
                })
                .collect::<Vec<_>>()
        });
        unlisted.chain(uncalled).collect()
    }
}

fn unlisted(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let uses = MACROS.iter().flat_map(|name| tokens.find(std::slice::from_ref(name)).collect::<Vec<_>>());
    uses.filter(|index| tokens.matches(index + 1, &["!", "("]) && !tokens.0[*index].is_test)
        .map(|index| {
            let fix = format!("add it to the list in {LIST} and call its function");
            Finding::new(&file.path, tokens.0[index].line, "a metric is made outside telemetry's list", fix)
        })
        .collect()
}

/// The public functions of a file of the list, outside tests.
fn functions(file: &SourceFile) -> Vec<(String, usize)> {
    let tokens = file.tokens();
    tokens
        .find(&["pub", "fn"])
        .filter(|index| !tokens.0[*index].is_test)
        .filter_map(|index| tokens.0.get(index + 2))
        .filter(|name| name.text != "all")
        .map(|name| (name.text.clone(), name.line))
        .collect()
}

/// True if the file calls the function or passes its path, outside of tests.
fn calls(file: &SourceFile, name: &str) -> bool {
    let tokens = file.tokens();
    tokens.0.iter().enumerate().any(|(index, token)| {
        let is_named = token.kind == SyntaxKind::Ident && token.text == name && !token.is_test;
        let before = index.checked_sub(1).map_or("", |before| tokens.0[before].text.as_str());
        is_named && before != "fn" && (before == ":" || tokens.matches(index + 1, &["("]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: (&str, &str) = ("crates/telemetry/src/metrics/holds.rs", "pub fn granted() {}\nfn private() {}\n");

    #[test]
    fn metric_whose_function_is_called_is_valid() {
        let caller = ("crates/warm/src/lib.rs", "fn hold() { holds::granted(); }");
        assert!(MetricsRule.check(&Workspace::of(&[LISTED, caller])).is_empty());
    }

    #[test]
    fn metric_that_only_tests_change_is_found() {
        let caller = ("crates/warm/src/lib.rs", "#[cfg(test)] mod tests { fn a() { holds::granted(); } }");
        assert_eq!(MetricsRule.check(&Workspace::of(&[LISTED, caller])).len(), 1);
    }

    #[test]
    fn metric_outside_of_the_list_is_found() {
        let caller =
            ("crates/warm/src/lib.rs", "fn hold() { holds::granted();\n metrics::counter!(\"x\").increment(1); }");
        let findings = MetricsRule.check(&Workspace::of(&[LISTED, caller]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }
}
