//! Requires a contract suite in `testing/contracts` for every port of `app`, and an adapter that runs it.
//!
//! A port is a public trait in a file called `ports.rs` that no slice of `app` implements itself; its suite is a file that uses the trait's name in code.
//! A trait that one slice implements for another is tested by the commands of both.

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

const SUITES: &str = "testing/contracts/src/";

pub struct ContractsRule;

impl Rule for ContractsRule {
    fn name(&self) -> &'static str {
        "contracts"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let suites: Vec<_> = workspace.rust_below(SUITES).collect();
        if suites.is_empty() {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let mut used = Vec::new();
        for file in workspace.rust_below("crates/app/src/").filter(|file| file.path.ends_with("/ports.rs")) {
            let tokens = file.tokens();
            for index in tokens.find(&["pub", "trait"]) {
                let Some(port) = tokens.0.get(index + 2) else { continue };
                if is_served_by_a_slice(workspace, &port.text) {
                    continue;
                }
                let own: Vec<_> = suites.iter().copied().filter(|suite| mentions(suite, &port.text)).collect();
                used.extend(own.iter().copied());
                if own.is_empty() {
                    let message = format!("the port {} has no contract suite", port.text);
                    let fix = format!("add one in {SUITES} and run it in the tests of each adapter");
                    findings.push(Finding::new(&file.path, port.line, message, fix));
                }
            }
        }
        used.sort_by(|a, b| a.path.cmp(&b.path));
        used.dedup_by(|a, b| a.path == b.path);
        findings.extend(used.into_iter().filter_map(|suite| unused(workspace, suite)));
        findings
    }
}

/// Whether `app` itself has an `impl … PORT for …`.
fn is_served_by_a_slice(workspace: &Workspace, port: &str) -> bool {
    workspace.rust_below("crates/app/src/").any(|file| file.tokens().find(&[port, "for"]).next().is_some())
}

/// A finding if no adapter runs the suite.
fn unused(workspace: &Workspace, suite: &SourceFile) -> Option<Finding> {
    let module = suite.path.strip_prefix(SUITES)?.split('/').next()?.trim_end_matches(".rs");
    let is_run = |file: &SourceFile| mentions(file, "voelgoed_contracts") && mentions(file, module);
    if module == "lib" || workspace.rust_below("crates/").any(is_run) {
        return None;
    }
    let fix = format!("call `voelgoed_contracts::{module}` in each adapter's tests");
    Some(Finding::new(&suite.path, 1, "no adapter runs this suite", fix))
}

fn mentions(file: &SourceFile, name: &str) -> bool {
    file.tokens().0.iter().any(|token| token.kind == SyntaxKind::Ident && token.text == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: (&str, &str) = ("crates/app/src/ledger/ports.rs", "pub struct Row;\npub trait LedgerStore: Send {}");
    const SUITE: (&str, &str) = ("testing/contracts/src/ledger.rs", "pub async fn run(store: &dyn LedgerStore) {}");
    const ADAPTER: (&str, &str) = ("crates/cold/tests/contracts.rs", "use voelgoed_contracts::{accounts, ledger};");

    #[test]
    fn port_with_a_suite_that_an_adapter_runs_is_valid() {
        assert!(ContractsRule.check(&Workspace::of(&[PORT, SUITE, ADAPTER])).is_empty());
    }

    #[test]
    fn trait_that_another_slice_implements_needs_no_suite() {
        let port = ("crates/app/src/checkout/ports.rs", "pub trait HoldPins: Send {}");
        let slice = ("crates/app/src/ticketing/hold_pins.rs", "impl HoldPins for Ticketing {}");
        assert_eq!(ContractsRule.check(&Workspace::of(&[PORT, SUITE, ADAPTER, port])).len(), 1);
        assert!(ContractsRule.check(&Workspace::of(&[PORT, SUITE, ADAPTER, port, slice])).is_empty());
    }

    #[test]
    fn suite_that_no_adapter_runs_is_found() {
        let findings = ContractsRule.check(&Workspace::of(&[PORT, SUITE]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].file, SUITE.0);
    }

    #[test]
    fn port_that_only_a_comment_mentions_is_found() {
        let suite = (SUITE.0, "//! About LedgerStore.\n// LedgerStore\n");
        let findings = ContractsRule.check(&Workspace::of(&[PORT, suite, ADAPTER]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }
}
