//! Runs the repository's tasks: `cargo xtask test | dev | bench | example-slice | package | tidy | fmt`.
//!
//! Never: a rule of the product; a heavy dependency (this crate is compiled before anything else on a fresh clone).
//! To add a suite, a tidy rule or a benchmark: one file in its folder and one line in that folder's list.

mod bench;
mod cargo_tool;
mod child_process;
mod demo_server;
mod dev;
mod mutants;
mod package;
mod patch;
mod report;
mod source_copy;
mod step_timer;
mod suites;
mod system_packages;
mod task_context;
mod test_counts;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::task_context::TaskContext;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Runs tests, tidy rules, benchmarks and the demo server, and makes packages.")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install missing programs, then run every check and suite; CI runs this.
    Test {
        /// Run long suites at full length.
        #[arg(long)]
        long: bool,
        /// Run only this suite (repeatable).
        #[arg(long, value_name = "SUITE")]
        only: Vec<String>,
        /// List the suites without running them.
        #[arg(long)]
        list: bool,
    },
    /// Start the server with its demo events.
    Dev(dev::DevArguments),
    /// Run benchmarks and print their measurements as Markdown.
    Bench {
        /// Names of benchmarks; all of them if none is given.
        names: Vec<String>,
    },
    /// Build and test a copy of the tree that has one more slice, and list the files that the slice cost.
    ExampleSlice,
    /// Make a Debian package and a tarball in target/package.
    Package(package::PackageArguments),
    /// Check the workspace against the tidy rules.
    Tidy,
    /// Format the code.
    Fmt,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let context = TaskContext::new(matches!(task, Task::Test { long: true, .. } | Task::ExampleSlice))?;
    match task {
        Task::Test { list: true, .. } => {
            suites::print_list();
            Ok(ExitCode::SUCCESS)
        }
        Task::Test { only, .. } => suites::run_all(&context, &only),
        Task::Dev(options) => dev::serve(&context, &options),
        Task::Bench { names } => bench::run_all(&context, &names),
        Task::ExampleSlice => suites::run_all(&context, &[suites::EXAMPLE_SLICE.to_owned()]),
        Task::Package(arguments) => package::run(&context, arguments),
        Task::Tidy => tidy::run(&context.root),
        Task::Fmt => {
            child_process::run_checked(child_process::cargo(&context.root).args(["fmt", "--all"]))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
