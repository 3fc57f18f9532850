//! The laws of the house. Each message names the file, the line, what is wrong and the cure.
//!
//! Never: a law without a test that shows it failing; an exception without a reason (see `exceptions.rs`, which only shrinks).
//! To add a law: one file here with a struct that implements [`Law`], and one line in [`LAWS`].

mod access;
mod attributes;
mod configuration;
mod contracts;
mod crate_edges;
mod dead_files;
mod error_codes;
mod exceptions;
mod file_length;
mod file_opening;
mod function_length;
mod house;
mod jobs;
mod leftovers;
mod lints;
mod log_messages;
mod metrics;
mod modules;
mod planted;
mod purity;
mod sleep;
mod source;
mod statements;
mod supply;
mod templates;
mod unwraps;

use std::path::Path;
use std::process::ExitCode;

use crate::report::Tally;
use house::House;

/// Every law, in alphabetical order.
const LAWS: &[&dyn Law] = &[
    &access::Access,
    &attributes::Attributes,
    &configuration::Configuration,
    &contracts::Contracts,
    &crate_edges::CrateEdges,
    &dead_files::DeadFiles,
    &error_codes::ErrorCodes,
    &file_length::FileLength,
    &file_opening::FileOpening,
    &function_length::FunctionLength,
    &jobs::Jobs,
    &leftovers::Leftovers,
    &lints::Lints,
    &log_messages::LogMessages,
    &metrics::Metrics,
    &planted::PlantedBugs,
    &purity::Purity,
    &sleep::Sleep,
    &statements::Statements,
    &supply::Supply,
    &templates::Templates,
    &unwraps::Unwraps,
];

/// Something that holds everywhere in the house.
trait Law: Sync {
    /// The law's name, as exceptions refer to it.
    fn name(&self) -> &'static str;

    /// Everything that breaks it.
    fn check(&self, house: &House) -> Vec<Finding>;
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gravity {
    /// Said, but not counted.
    Warning,
    /// The law is broken.
    Breach,
}

/// One breach of a law, or a warning before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    file: String,
    line: usize,
    message: String,
    cure: String,
    gravity: Gravity,
}

impl Finding {
    /// A breach at `file:line`.
    fn new(file: &str, line: usize, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into(), cure: cure.into(), gravity: Gravity::Breach }
    }

    /// The same, as a warning only.
    fn warning(self) -> Self {
        Self { gravity: Gravity::Warning, ..self }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, message, cure, .. } = self;
        write!(f, "{file}:{line}: {message}\n    cure: {cure}")
    }
}

/// Checks every law, prints what is broken, and counts one test per law.
pub fn tally(root: &Path) -> anyhow::Result<Tally> {
    let house = House::read(root)?;
    let mut tally = Tally::default();
    for law in LAWS {
        let (findings, warnings): (Vec<_>, Vec<_>) = exceptions::apply(law.name(), law.check(&house))
            .into_iter()
            .partition(|finding| finding.gravity == Gravity::Breach);
        for warning in &warnings {
            println!("warning[{}] {warning}", law.name());
        }
        for finding in &findings {
            println!("broken[{}] {finding}", law.name());
        }
        tally.add(Tally::one(findings.is_empty()));
    }
    println!("tidy: {} laws kept, {} broken", tally.passed, tally.failed);
    Ok(tally)
}

/// `cargo xtask tidy`.
pub fn print(root: &Path) -> anyhow::Result<ExitCode> {
    Ok(if tally(root)?.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_stand_in_alphabetical_order_under_distinct_names() {
        let names: Vec<_> = LAWS.iter().map(|law| law.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn a_message_names_file_line_and_cure() {
        let finding = Finding::new("crates/x/src/lib.rs", 7, "too long", "split it");
        assert_eq!(finding.to_string(), "crates/x/src/lib.rs:7: too long\n    cure: split it");
    }
}
