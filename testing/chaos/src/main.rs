//! Breaks the real binary over HTTP and checks what clients were promised: one suite per subcommand.
//!
//! | suite | what happens |
//! |---|---|
//! | `race` | far more buyers than places |
//! | `payments` | every payment method, with processes killed at every step |
//! | `cells` | every cell of the capability table, with its dependency down |
//! | `crash` | the server killed again and again under load |
//! | `storm` | everything broken again and again over Redis, Postgres and two nodes |
//! | `attack` | one hostile address beside other clients |
//!
//! Never: a check that reads behind the API (P1, P2, P3), a check without a count, more than 20,000 open files.
//! To add a suite: a module, a variant of [`ChaosSuite`], and a file in `xtask/src/suites`.

mod attack;
mod cells;
mod clients;
mod crash;
mod payments;
mod race;
mod storm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use voelgoed_testkit::report::SuiteReport;

/// The command line.
#[derive(Debug, Parser)]
struct ChaosCli {
    #[command(subcommand)]
    suite: ChaosSuite,
    /// The `voelgoed` binary.
    #[arg(long, global = true, default_value = "target/release/voelgoed")]
    binary: PathBuf,
    /// Where data directories are made; those of an earlier run are replaced.
    #[arg(long, global = true, default_value = "target/chaos")]
    root: PathBuf,
}

/// The suites.
#[derive(Debug, Subcommand)]
enum ChaosSuite {
    /// One address that takes all it can get, beside others that go on.
    Attack(attack::AttackOptions),
    /// 2,000 buyers, 100 places.
    Race(race::RaceOptions),
    /// Every payment method, undisturbed and with kills at every step.
    Payments(payments::PaymentsOptions),
    /// What the capability table promises while a dependency is down, and afterwards.
    Cells(cells::CellsOptions),
    /// kill -9 under load.
    Crash(crash::CrashOptions),
    /// Everything, over Redis and Postgres, under load.
    Storm(storm::StormOptions),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ChaosCli { suite, binary, root } = ChaosCli::parse();
    let mut report = SuiteReport::default();
    let run = match &suite {
        ChaosSuite::Attack(options) => attack::run(&binary, &root, options, &mut report).await,
        ChaosSuite::Race(options) => race::run(&binary, &root, options, &mut report).await,
        ChaosSuite::Payments(options) => payments::run(&binary, &root, options, &mut report).await,
        ChaosSuite::Cells(options) => cells::run(&binary, &root, options, &mut report).await,
        ChaosSuite::Crash(options) => crash::run(&binary, &root, options, &mut report).await,
        ChaosSuite::Storm(options) => storm::run(&binary, &root, options, &mut report).await,
    };
    if let Err(error) = run {
        report.check("the suite runs to its end", Err(error));
    }
    println!("{report}");
    if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
