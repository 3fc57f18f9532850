//! Every metric stands in telemetry's list, and every listed one is moved by somebody.
//!
//! A metric is a constant and a function in `crates/telemetry/src/metrics/`; nobody else speaks to the registry.

use super::house::{File, House};
use super::source::Kind;
use super::{Finding, Law};

const LIST: &str = "crates/telemetry/src/metrics/";
/// The facade's macros, which would make a metric that no list knows.
const MACROS: &[&str] = &["counter", "gauge", "histogram", "describe_counter", "describe_gauge", "describe_histogram"];

/// The law.
pub struct Metrics;

impl Law for Metrics {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let ships = || house.rust_below("crates/").filter(|file| !file.is_test());
        let unlisted = ships().filter(|file| !file.path.starts_with("crates/telemetry/")).flat_map(unlisted);
        let unmoved = house.rust_below(LIST).filter(|file| !file.is_test()).flat_map(|file| {
            functions(file)
                .into_iter()
                .filter(|(name, _)| !ships().any(|other| other.path != file.path && calls(other, name)))
                .map(|(name, line)| {
                    let message = format!("nobody calls `{name}`, so its metric never moves");
                    Finding::new(
                        &file.path,
                        line,
                        message,
                        "call it where the thing happens, or delete it from the list",
                    )
                })
                .collect::<Vec<_>>()
        });
        unlisted.chain(unmoved).collect()
    }
}

fn unlisted(file: &File) -> Vec<Finding> {
    let tokens = file.tokens();
    let uses = MACROS.iter().flat_map(|name| tokens.find(std::slice::from_ref(name)).collect::<Vec<_>>());
    uses.filter(|index| tokens.matches(index + 1, &["!", "("]) && !tokens.0[*index].is_test)
        .map(|index| {
            let cure = format!("add it to the list in {LIST} and call its function");
            Finding::new(&file.path, tokens.0[index].line, "a metric is made outside telemetry's list", cure)
        })
        .collect()
}

/// The public functions of a file of the list, outside tests.
fn functions(file: &File) -> Vec<(String, usize)> {
    let tokens = file.tokens();
    tokens
        .find(&["pub", "fn"])
        .filter(|index| !tokens.0[*index].is_test)
        .filter_map(|index| tokens.0.get(index + 2))
        .filter(|name| name.text != "all")
        .map(|name| (name.text.clone(), name.line))
        .collect()
}

/// True where the file calls the function, or hands it on by its path, outside tests.
fn calls(file: &File, name: &str) -> bool {
    let tokens = file.tokens();
    tokens.0.iter().enumerate().any(|(index, token)| {
        let is_named = token.kind == Kind::Ident && token.text == name && !token.is_test;
        let before = index.checked_sub(1).map_or("", |before| tokens.0[before].text.as_str());
        is_named && before != "fn" && (before == ":" || tokens.matches(index + 1, &["("]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: (&str, &str) = ("crates/telemetry/src/metrics/holds.rs", "pub fn granted() {}\nfn private() {}\n");

    #[test]
    fn a_listed_metric_that_is_moved_is_lawful() {
        let caller = ("crates/warm/src/lib.rs", "fn hold() { holds::granted(); }");
        assert!(Metrics.check(&House::of(&[LISTED, caller])).is_empty());
    }

    #[test]
    fn a_metric_that_only_tests_move_is_found() {
        let caller = ("crates/warm/src/lib.rs", "#[cfg(test)] mod tests { fn a() { holds::granted(); } }");
        assert_eq!(Metrics.check(&House::of(&[LISTED, caller])).len(), 1);
    }

    #[test]
    fn a_metric_outside_the_list_is_found() {
        let caller =
            ("crates/warm/src/lib.rs", "fn hold() { holds::granted();\n metrics::counter!(\"x\").increment(1); }");
        let findings = Metrics.check(&House::of(&[LISTED, caller]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }
}
