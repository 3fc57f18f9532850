//! The suites of `cargo xtask test`, in the order in which they run.
//!
//! Never: a suite that hides what it left out, or that waits without limit.
//! To add one: a file here with a struct that implements [`Suite`], and one line in [`SUITES`].

mod api;
mod attack;
mod browser;
mod cells;
mod clippy;
mod crash;
mod demo;
mod deny;
mod fmt;
mod nodes;
mod payments;
mod planted;
mod race;
mod readme;
mod schemathesis;
mod storm;
mod tidy;
mod workspace;

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::bail;

use crate::clock::{Spoken, Stopwatch};
use crate::machine::{self, Need};
use crate::report::{Line, Report, Tally};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// Every suite, quick and broad ones first.
const SUITES: &[&dyn Suite] = &[
    &fmt::Fmt,
    &tidy::Tidy,
    &clippy::Clippy,
    &deny::Deny,
    &workspace::Workspace,
    &planted::PlantedBugs,
    &demo::Demo,
    &race::Race,
    &payments::Payments,
    &cells::Cells,
    &crash::Crash,
    &storm::Storm,
    &nodes::Nodes,
    &browser::Browser,
    &schemathesis::Schemathesis,
    &attack::Attack,
    &api::EDGES,
    &api::TENANTS,
    &api::CODES,
    &api::VIEWERS,
];

/// Something that can be run and counted.
///
/// A suite that is a test crate hands its tests to cargo and counts what they print:
/// `shell::tally(shell::cargo(&run.root).args(["test", "--package", "voelgoed-browser"]).env("VOELGOED_BIN", run.release_binary()?), LONGEST)`
/// and names that crate in `owns`. A program of its own ends with a line `N passed, N failed`. A suite that only needs a
/// running shop opens a [`crate::shop::Shop`].
pub trait Suite: Sync {
    /// The name for `--only`.
    fn name(&self) -> &'static str;

    /// What it shows, in one line.
    fn about(&self) -> &'static str;

    /// What it needs of the machine.
    fn needs(&self) -> &'static [Need] {
        &[]
    }

    /// Packages whose tests this suite runs itself, so that `workspace` leaves them out.
    fn owns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Runs it (`run.long`: at full length). An error is a suite that could not be carried through; it counts as a failure.
    fn run(&self, run: &Run) -> anyhow::Result<Outcome>;
}

/// The longest that any program of a suite may take.
pub const LONGEST: Duration = Duration::from_secs(45 * 60);

/// A finished command as one check.
pub fn check(command: &mut Command) -> Tally {
    match shell::must(command) {
        Ok(()) => Tally::one(true),
        Err(error) => {
            println!("{error:#}");
            Tally::one(false)
        }
    }
}

/// Prints names and purposes.
pub fn print_list() {
    for suite in SUITES {
        println!("{:<14} {}", suite.name(), suite.about());
    }
}

/// Prepares the machine and runs all suites, or those named in `only`.
pub fn run_all(run: &Run, only: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = only.iter().find(|name| !SUITES.iter().any(|suite| suite.name() == name.as_str())) {
        print_list();
        bail!("there is no suite `{unknown}`");
    }
    let chosen: Vec<_> =
        SUITES.iter().filter(|suite| only.is_empty() || only.iter().any(|name| name == suite.name())).collect();
    let needs: Vec<Need> = chosen.iter().flat_map(|suite| suite.needs()).copied().collect();
    machine::prepare(&needs)?;
    let mut report = Report::default();
    for suite in chosen {
        println!("\n=== {}: {}", suite.name(), suite.about());
        let stopwatch = Stopwatch::start();
        let (outcome, fault) = match suite.run(run) {
            Ok(outcome) => (outcome, None),
            Err(error) => (Tally::one(false).into(), Some(format!("{error:#}"))),
        };
        let took = stopwatch.elapsed();
        if let Some(fault) = &fault {
            println!("error: {fault}");
        }
        println!("--- {}: {} in {}", suite.name(), outcome.tally, Spoken(took));
        report.push(Line { suite: suite.name(), outcome, took, fault });
    }
    report.print();
    Ok(if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The packages that some suite runs by itself.
fn owned() -> Vec<&'static str> {
    SUITES.iter().flat_map(|suite| suite.owns()).copied().collect()
}
