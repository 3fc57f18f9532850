//! One file per command: it wires what it needs, runs commands of `app`, and prints what a person or a script needs next.

mod backup;
mod demo;
mod doctor;
mod jobs;
mod migrate;
mod organizer;
mod sandbox_psp;
mod seed;
mod serve;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::settings::{DEFAULTS, Flags, Settings};

/// Runs what was asked for.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let (listen, internal_listen) = match &cli.command {
        Command::Serve(args) => (args.listen, args.internal_listen),
        Command::Demo(args) => (args.listen, args.internal_listen),
        _ => (None, None),
    };
    let flags = Flags { listen, internal_listen, data: cli.data.clone() };
    let settings = || Settings::load(cli.config.as_deref(), &flags);
    match cli.command {
        Command::Serve(args) => serve::serve(&settings()?, args.role, args.json).await,
        Command::Demo(args) if args.seed_only => demo::seed_only(&settings()?, args.json).await,
        Command::Demo(args) => demo::demo(&settings()?, args.json).await,
        Command::Backup(args) => backup::backup(&settings()?, &args.to).await,
        Command::Restore(args) => backup::restore(&settings()?, &args.from).await,
        Command::Doctor => doctor::doctor(&settings()?).await,
        Command::Jobs { act } => jobs::jobs(&settings()?, act).await,
        Command::Migrate => migrate::migrate(&settings()?).await,
        Command::SandboxPsp(args) => sandbox_psp::run(args, &settings()?).await,
        Command::Openapi => {
            println!("{}", voelgoed_web::assembly::document().to_pretty_json()?);
            Ok(())
        }
        Command::Settings => {
            print!("{DEFAULTS}");
            Ok(())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "voelgoed", &mut std::io::stdout());
            Ok(())
        }
        organizer => organizer::run(organizer, &settings()?).await,
    }
}
