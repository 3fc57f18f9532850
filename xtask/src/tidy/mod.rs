//! Checks the workspace against the tidy rules; each finding names the file, the line, what is wrong and the fix.
//!
//! Never: a rule without a test that breaks it; an exception without a reason (see `exceptions.rs`).
//! To add a rule: one file here with a struct that implements [`Rule`], and one line in [`RULES`].

mod attributes;
mod banned_words;
mod comments;
mod configuration;
mod contracts;
mod crate_edges;
mod dead_files;
mod dead_paths;
mod error_codes;
mod exceptions;
mod file_length;
mod file_opening;
mod function_length;
mod import_cycles;
mod jobs;
mod leftovers;
mod limit_names;
mod lints;
mod log_messages;
mod metrics;
mod module_graph;
mod mutants;
mod purity;
mod read_workspace;
mod route_rows;
mod sleep;
mod source_file;
mod statements;
mod supply;
mod templates;
mod tokens;
mod type_names;
mod unwraps;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use crate::test_counts::TestCounts;
use workspace::Workspace;

/// Every rule, in alphabetical order.
const RULES: &[&dyn Rule] = &[
    &attributes::AttributesRule,
    &banned_words::BannedWordsRule,
    &configuration::ConfigurationRule,
    &contracts::ContractsRule,
    &crate_edges::CrateEdgesRule,
    &dead_files::DeadFilesRule,
    &dead_paths::DeadPathsRule,
    &error_codes::ErrorCodesRule,
    &file_length::FileLengthRule,
    &file_opening::FileOpeningRule,
    &function_length::FunctionLengthRule,
    &import_cycles::ImportCyclesRule,
    &jobs::JobsRule,
    &leftovers::LeftoversRule,
    &limit_names::LimitNamesRule,
    &lints::LintsRule,
    &log_messages::LogMessagesRule,
    &metrics::MetricsRule,
    &mutants::MutantsRule,
    &purity::PurityRule,
    &route_rows::RouteRowsRule,
    &sleep::SleepRule,
    &statements::StatementsRule,
    &supply::SupplyRule,
    &templates::TemplatesRule,
    &type_names::TypeNamesRule,
    &unwraps::UnwrapsRule,
];

/// A property that every file of the workspace must have.
trait Rule: Sync {
    /// The name that exceptions refer to.
    fn name(&self) -> &'static str;

    /// Returns every violation.
    fn check(&self, workspace: &Workspace) -> Vec<Finding>;
}

/// Whether a finding fails its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// Printed, but not counted.
    Warning,
    /// Fails the rule.
    Violation,
}

/// One violation of a rule, or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    file: String,
    line: usize,
    message: String,
    fix: String,
    severity: Severity,
}

impl Finding {
    /// A violation at `file:line`.
    fn new(file: &str, line: usize, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into(), fix: fix.into(), severity: Severity::Violation }
    }

    /// Turns the finding into a warning.
    fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, message, fix, .. } = self;
        write!(f, "{file}:{line}: {message} → {fix}")
    }
}

/// Checks every rule, prints the findings, and counts each rule as one test.
pub fn check(root: &Path) -> anyhow::Result<TestCounts> {
    let workspace = read_workspace::read(root)?;
    let mut counts = TestCounts::default();
    for rule in RULES {
        let (violations, warnings): (Vec<_>, Vec<_>) = exceptions::apply(rule.name(), rule.check(&workspace))
            .into_iter()
            .partition(|finding| finding.severity == Severity::Violation);
        for warning in &warnings {
            println!("{warning} [warning of {}]", rule.name());
        }
        for violation in &violations {
            println!("{violation} [{}]", rule.name());
        }
        if !violations.is_empty() {
            println!("rule {}: {} violations", rule.name(), violations.len());
        }
        counts.add(TestCounts::one(violations.is_empty()));
    }
    println!("tidy: {} rules passed, {} failed", counts.passed, counts.failed);
    Ok(counts)
}

/// Runs `cargo xtask tidy`.
pub fn run(root: &Path) -> anyhow::Result<ExitCode> {
    Ok(if check(root)?.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_listed_in_alphabetical_order_under_distinct_names() {
        let names: Vec<_> = RULES.iter().map(|rule| rule.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn finding_is_one_line_with_file_line_and_fix() {
        let finding = Finding::new("crates/x/src/lib.rs", 7, "too long", "split it");
        assert_eq!(finding.to_string(), "crates/x/src/lib.rs:7: too long → split it");
    }
}
