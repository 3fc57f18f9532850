//! `voelgoed`: configuration, wiring, roles and the command line. The only place with a clock, randomness, the environment and tasks of its own.
//!
//! To add a command: its variant in `cli.rs` and its file in `commands/`.

// A closed pipe makes these macros panic; `output` is for printing.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod cli_values;
mod commands;
mod data_directory;
mod effective_settings;
mod environment;
mod health;
mod node;
mod output;
mod passwords;
mod role;
mod sandbox;
mod secret;
mod secret_strength;
mod settings;
mod tiers;
mod unsafe_settings;
mod wiring;
mod written_arguments;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use voelgoed_domain::refusal::Refusal;

use written_arguments::WrittenArguments;

fn main() -> ExitCode {
    data_directory::restrict_new_files();
    let program = cli::Cli::command();
    let matches = program.clone().get_matches();
    match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<output::ClosedPipe>() => ExitCode::from(output::CLOSED_PIPE_EXIT_CODE),
        Err(error) => {
            match error.downcast_ref::<Refusal>() {
                Some(refusal) => {
                    let described = WrittenArguments::of(&program, &matches).describe(refusal);
                    output::note(format_args!("Error: {described}"));
                }
                None => output::note(format_args!("Error: {error:?}")),
            }
            ExitCode::FAILURE
        }
    }
}

fn run(matches: &clap::ArgMatches) -> anyhow::Result<()> {
    let cli = cli::Cli::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(commands::run(cli))
}
