//! The only door to the house: `cargo xtask test | dev | bench | tidy | fmt`.
//!
//! Never: a rule of the product, a dependency that makes a fresh clone wait (this crate is compiled before anything else).
//! To add a suite, a law or a benchmark: one file in its folder and one line in that folder's list.

mod bench;
mod clock;
mod dev;
mod machine;
mod report;
mod run;
mod shell;
mod shop;
mod suites;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::Run;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The only door to the house: tests, laws, benchmarks, a running shop.")]
struct Door {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prepare the machine, then run every check and every suite. This is what CI runs.
    Test {
        /// Run the long suites at their full length.
        #[arg(long)]
        long: bool,
        /// Run only these suites (may be repeated).
        #[arg(long, value_name = "SUITE")]
        only: Vec<String>,
        /// Say which suites there are, and run none.
        #[arg(long)]
        list: bool,
    },
    /// Start the shop with its demo events on this machine.
    Dev(dev::Options),
    /// Measure, and print the figures as Markdown.
    Bench {
        /// Which benchmarks; all where none is named.
        names: Vec<String>,
    },
    /// Check the laws of the house.
    Tidy,
    /// Format the code.
    Fmt,
}

fn main() -> ExitCode {
    match enter(Door::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn enter(task: Task) -> anyhow::Result<ExitCode> {
    let run = Run::here(matches!(task, Task::Test { long: true, .. }))?;
    match task {
        Task::Test { list: true, .. } => {
            suites::print_list();
            Ok(ExitCode::SUCCESS)
        }
        Task::Test { only, .. } => suites::run_all(&run, &only),
        Task::Dev(options) => dev::serve(&run, &options),
        Task::Bench { names } => bench::run_all(&run, &names),
        Task::Tidy => tidy::print(&run.root),
        Task::Fmt => {
            shell::must(shell::cargo(&run.root).args(["fmt", "--all"]))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
