//! Five suites against the real binary over HTTP: a race for too few places, payments of every kind with processes killed at every step,
//! kill -9 again and again under load, a storm over Redis, Postgres and two nodes, and an attack by one address.
//!
//! Never: a look behind the API to judge the server (P1, P2, P3), a verdict without a count, more than 20,000 open files.
//! To add a suite: a module, a variant of [`Suite`], and a file in `xtask/src/suites`.

mod attack;
mod cells;
mod crash;
mod payments;
mod race;
mod storm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use voelgoed_testkit::verdict::Verdicts;

/// What is run, and against what.
#[derive(Debug, Parser)]
struct Chaos {
    #[command(subcommand)]
    suite: Suite,
    /// The `voelgoed` binary.
    #[arg(long, global = true, default_value = "target/release/voelgoed")]
    binary: PathBuf,
    /// Where data directories are made; those of an earlier run are replaced.
    #[arg(long, global = true, default_value = "target/chaos")]
    root: PathBuf,
}

/// The suites.
#[derive(Debug, Subcommand)]
enum Suite {
    /// One address that takes all it can get, beside others that go on.
    Attack(attack::Options),
    /// 2,000 buyers, 100 places.
    Race(race::Options),
    /// Every payment method, undisturbed and with kills at every step.
    Payments(payments::Options),
    /// What the capability table promises while something is away, and afterwards.
    Cells(cells::Options),
    /// kill -9 under load.
    Crash(crash::Options),
    /// Everything, over Redis and Postgres, under load.
    Storm(storm::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let chaos = Chaos::parse();
    let mut verdicts = Verdicts::default();
    let run = match &chaos.suite {
        Suite::Attack(options) => attack::run(&chaos.binary, &chaos.root, options, &mut verdicts).await,
        Suite::Race(options) => race::run(&chaos.binary, &chaos.root, options, &mut verdicts).await,
        Suite::Payments(options) => payments::run(&chaos.binary, &chaos.root, options, &mut verdicts).await,
        Suite::Cells(options) => cells::run(&chaos.binary, &chaos.root, options, &mut verdicts).await,
        Suite::Crash(options) => crash::run(&chaos.binary, &chaos.root, options, &mut verdicts).await,
        Suite::Storm(options) => storm::run(&chaos.binary, &chaos.root, options, &mut verdicts).await,
    };
    if let Err(error) = run {
        verdicts.judge("the suite is carried through", Err(error));
    }
    println!("{verdicts}");
    if verdicts.hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
