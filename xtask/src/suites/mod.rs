//! Runs the suites of `cargo xtask test` in order and reports their test counts.
//!
//! Never: a suite that skips tests silently, or waits without a timeout.
//! To add one: a file here with a struct that implements [`Suite`], and one line in [`SUITES`].

mod api;
mod attack;
mod browser;
mod cells;
mod clippy;
mod crash;
mod demo;
mod dependencies;
mod example_slice;
mod fmt;
mod mutants;
mod nodes;
mod package;
mod payments;
mod race;
mod readme;
mod schemathesis;
mod storm;
mod tidy;
mod workspace;

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::bail;

pub use example_slice::{EXAMPLE_SLICE, EXAMPLES};

use crate::child_process::{self, TestRun};
use crate::report::{Report, SuiteResult};
use crate::step_timer::{HumanDuration, StepTimer};
use crate::system_packages::{self, SystemPackage};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

/// Every suite, fast ones first.
const SUITES: &[&dyn Suite] = &[
    &fmt::FmtSuite,
    &tidy::TidySuite,
    &clippy::ClippySuite,
    &dependencies::DependenciesSuite,
    &workspace::WorkspaceSuite,
    &mutants::MutantsSuite,
    &example_slice::ExampleSliceSuite,
    &demo::DemoSuite,
    &package::PackageSuite,
    &race::RaceSuite,
    &payments::PaymentsSuite,
    &cells::CellsSuite,
    &crash::CrashSuite,
    &storm::StormSuite,
    &nodes::NodesSuite,
    &browser::BrowserSuite,
    &schemathesis::SchemathesisSuite,
    &attack::AttackSuite,
    &api::EDGES,
    &api::TENANTS,
    &api::CODES,
    &api::VIEWERS,
];

/// A set of tests that `cargo xtask test` runs.
///
/// A suite for a test crate runs cargo and counts the printed results:
/// `child_process::run_tests(child_process::cargo(&context.root).args(["test", "--package", "voelgoed-browser"]).env("VOELGOED_BIN", context.release_binary()?), PROGRAM_TIMEOUT)`
/// and names that crate in `owns`. A suite's own program ends with a line `N passed, N failed`. A suite that needs a running
/// server starts a [`crate::demo_server::DemoServer`].
pub trait Suite: Sync {
    /// The name for `--only`.
    fn name(&self) -> &'static str;

    /// One line for `--list`.
    fn about(&self) -> &'static str;

    /// Packages that must be installed.
    fn needs(&self) -> &'static [SystemPackage] {
        &[]
    }

    /// Crates whose tests this suite runs itself; the suite `workspace` excludes them.
    fn owns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Runs the suite, at full length if `context.long`.
    ///
    /// # Errors
    /// The suite stopped before its end; that counts as one failure.
    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun>;
}

/// Limit for one program of a suite.
pub const PROGRAM_TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// Runs a command and counts its success as one check.
pub fn check(command: &mut Command) -> TestCounts {
    match child_process::run_checked(command) {
        Ok(()) => TestCounts::one(true),
        Err(error) => {
            println!("{error:#}");
            TestCounts::one(false)
        }
    }
}

/// Prints and counts one step as libtest does; returns the value of a step that succeeded.
fn step<T>(test_run: &mut TestRun, name: &str, result: anyhow::Result<T>) -> Option<T> {
    let line = match &result {
        Ok(_) => format!("test {name} ... ok"),
        Err(error) => format!("test {name} ... FAILED: {error:#}"),
    };
    println!("{line}");
    test_run.lines.push(line);
    test_run.counts.add(TestCounts::one(result.is_ok()));
    result.ok()
}

/// Prints the name and purpose of every suite.
pub fn print_list() {
    for suite in SUITES {
        println!("{:<14} {}", suite.name(), suite.about());
    }
}

/// Installs missing packages and runs all suites, or those named in `only`.
pub fn run_all(context: &TaskContext, only: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = only.iter().find(|name| !SUITES.iter().any(|suite| suite.name() == name.as_str())) {
        print_list();
        bail!("there is no suite `{unknown}`");
    }
    let chosen: Vec<_> =
        SUITES.iter().filter(|suite| only.is_empty() || only.iter().any(|name| name == suite.name())).collect();
    let needs: Vec<SystemPackage> = chosen.iter().flat_map(|suite| suite.needs()).copied().collect();
    system_packages::install_missing(&needs)?;
    let mut report = Report::default();
    for suite in chosen {
        println!("\n=== {}: {}", suite.name(), suite.about());
        let timer = StepTimer::start();
        let (test_run, error) = match suite.run(context) {
            Ok(test_run) => (test_run, None),
            Err(error) => (TestCounts::one(false).into(), Some(format!("{error:#}"))),
        };
        let took = timer.elapsed();
        if let Some(error) = &error {
            println!("error: {error}");
        }
        println!("--- {}: {} in {}", suite.name(), test_run.counts, HumanDuration(took));
        report.push(SuiteResult { suite: suite.name(), test_run, took, error });
    }
    report.print();
    Ok(if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Crates that the suite `workspace` excludes.
fn owned() -> Vec<&'static str> {
    SUITES.iter().flat_map(|suite| suite.owns()).copied().collect()
}
