//! Runs the `voelgoed` program: parses the command line, runs the command on a Tokio runtime, and words its error for a terminal.
//!
//! Only this crate reads the clock, randomness and the environment, and spawns tasks that outlive a request.
//! To add a command: its variant in `cli/mod.rs` and its file in `commands/`.

// A closed pipe makes these macros panic; `output` is for printing.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod argon2_hasher;
mod cli;
mod cli_values;
mod commands;
mod data_directory;
mod data_files;
mod effective_settings;
mod master_key;
mod node;
mod output;
mod role;
mod sandbox_supervisor;
mod secret_strength;
mod settings;
mod store_urls;
mod system_environment;
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
