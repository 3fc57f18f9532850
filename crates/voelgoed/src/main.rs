//! `voelgoed`: configuration, wiring, roles and the command line. The only place with a clock, randomness, the environment and tasks of its own.
//!
//! To add a command: its variant in `cli.rs` and its file in `commands/`.

mod cli;
mod cli_values;
mod commands;
mod data_directory;
mod effective_settings;
mod environment;
mod health;
mod node;
mod passwords;
mod role;
mod sandbox;
mod secret;
mod secret_strength;
mod settings;
mod tiers;
mod unsafe_settings;
mod wiring;

use clap::Parser;

fn main() -> anyhow::Result<()> {
    data_directory::restrict_new_files();
    let cli = cli::Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(commands::run(cli))
}
