//! Every port of `app` has a contract suite in `testing/contracts`, which every adapter runs.
//!
//! A port is a public trait in a file called `ports.rs`; its suite is code there that names the trait.

use super::house::{File, House};
use super::source::Kind;
use super::{Finding, Law};

const SUITES: &str = "testing/contracts/src/";

/// The law.
pub struct Contracts;

impl Law for Contracts {
    fn name(&self) -> &'static str {
        "contracts"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let suites: Vec<_> = house.rust_below(SUITES).collect();
        if suites.is_empty() {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let mut used = Vec::new();
        for file in house.rust_below("crates/app/src/").filter(|file| file.path.ends_with("/ports.rs")) {
            let tokens = file.tokens();
            for index in tokens.find(&["pub", "trait"]) {
                let Some(port) = tokens.0.get(index + 2) else { continue };
                let own: Vec<_> = suites.iter().copied().filter(|suite| says(suite, &port.text)).collect();
                used.extend(own.iter().copied());
                if own.is_empty() {
                    let message = format!("the port {} has no contract suite", port.text);
                    let cure = format!("add one in {SUITES} and let each adapter run it");
                    findings.push(Finding::new(&file.path, port.line, message, cure));
                }
            }
        }
        used.sort_by(|a, b| a.path.cmp(&b.path));
        used.dedup_by(|a, b| a.path == b.path);
        findings.extend(used.into_iter().filter_map(|suite| unused(house, suite)));
        findings
    }
}

/// A file that tests a port and that no adapter names shows nothing.
fn unused(house: &House, suite: &File) -> Option<Finding> {
    let module = suite.path.strip_prefix(SUITES)?.split('/').next()?.trim_end_matches(".rs");
    let is_run = |file: &File| says(file, "voelgoed_contracts") && says(file, module);
    if module == "lib" || house.rust_below("crates/").any(is_run) {
        return None;
    }
    let cure = format!("call `voelgoed_contracts::{module}` in each adapter's tests");
    Some(Finding::new(&suite.path, 1, "no adapter runs this suite", cure))
}

fn says(file: &File, name: &str) -> bool {
    file.tokens().0.iter().any(|token| token.kind == Kind::Ident && token.text == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: (&str, &str) = ("crates/app/src/ledger/ports.rs", "pub struct Row;\npub trait LedgerStore: Send {}");
    const SUITE: (&str, &str) = ("testing/contracts/src/ledger.rs", "pub async fn run(store: &dyn LedgerStore) {}");
    const ADAPTER: (&str, &str) = ("crates/cold/tests/contracts.rs", "use voelgoed_contracts::{accounts, ledger};");

    #[test]
    fn a_port_with_a_suite_that_an_adapter_runs_is_lawful() {
        assert!(Contracts.check(&House::of(&[PORT, SUITE, ADAPTER])).is_empty());
    }

    #[test]
    fn a_suite_that_nobody_runs_is_found() {
        let findings = Contracts.check(&House::of(&[PORT, SUITE]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].file, SUITE.0);
    }

    #[test]
    fn a_port_without_a_suite_is_found_and_a_comment_does_not_help() {
        let suite = (SUITE.0, "//! About LedgerStore.\n// LedgerStore\n");
        let findings = Contracts.check(&House::of(&[PORT, suite, ADAPTER]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }
}
