//! Dispatches each command of the command line to its file, which builds the runtime, runs commands of `app` and prints the result.

mod backup;
mod command_results;
mod demo;
mod doctor;
mod import_layout;
mod jobs;
mod list;
mod migrate;
mod organizer;
mod progress;
mod renew_demo;
mod sandbox_psp;
mod seed_demo;
mod serve;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Cli, CliCommand};
use crate::data_directory::{self, IfMissing};
use crate::effective_settings::effective;
use crate::master_key::configured_key;
use crate::output;
use crate::settings::{SettingFlags, Settings};
use crate::store_urls::{ColdStore, WarmStore};

/// Runs the command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let (listen, internal_listen) = match &cli.command {
        CliCommand::Serve(args) => (args.listen, args.internal_listen),
        CliCommand::Demo(args) => (args.listen, args.internal_listen),
        _ => (None, None),
    };
    let flags = SettingFlags { listen, internal_listen, data: cli.data.clone() };
    let settings = || Settings::load(cli.config.as_deref(), &flags);
    match cli.command {
        CliCommand::Serve(args) => serve::serve(&settings()?, args.role, args.json).await,
        CliCommand::Demo(args) if args.seed_only => demo::seed_only(&settings()?, args.json).await,
        CliCommand::Demo(args) => demo::demo(&settings()?, args.json).await,
        CliCommand::Backup(args) => backup::backup(&settings()?, &args.to).await,
        CliCommand::Restore(args) => backup::restore(&settings()?, &args.from).await,
        CliCommand::Doctor => doctor::doctor(&settings()?).await,
        CliCommand::Jobs { act } => jobs::jobs(&settings()?, act).await,
        CliCommand::Migrate => migrate::migrate(&settings()?).await,
        CliCommand::SandboxPsp(args) => sandbox_psp::run(args, &settings()?).await,
        CliCommand::Openapi => output::line(voelgoed_web::router::openapi_document().to_pretty_json()?),
        CliCommand::Settings => output::text(effective(cli.config.as_deref(), &flags)?),
        CliCommand::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "voelgoed", &mut script);
            output::text(String::from_utf8(script)?)
        }
        organizer => organizer::run(organizer, &settings()?).await,
    }
}

/// Opens the data directory, and notes on standard error which data the command uses.
///
/// # Errors
/// As [`data_directory::open`]; before anything is created also for invalid URLs of stores or an invalid master key in the configuration.
pub(super) fn open_data(settings: &Settings, if_missing: IfMissing) -> anyhow::Result<()> {
    let cold = ColdStore::parse(&settings.cold.url, &settings.cold.replicas).context("cold.url")?;
    let directory = &settings.data.directory;
    if if_missing == IfMissing::Create {
        WarmStore::parse(&settings.warm.url).context("warm.url")?;
        configured_key(&settings.secrets)?;
    }
    data_directory::open(directory, cold == ColdStore::Embedded, if_missing)?;
    match cold {
        ColdStore::Embedded => {
            output::note(format_args!("data: {} (SQLite)", data_directory::shown(directory).display()));
        }
        ColdStore::Postgres { primary, .. } => {
            output::note(format_args!("data: Postgres at {}", without_password(&primary)));
        }
    }
    Ok(())
}

/// Host, port and database of an address, without user, password and parameters.
fn without_password(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    rest.rsplit_once('@').map_or(rest, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn address_of_postgres_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://a:secret@db:5432/shop", "db:5432/shop"),
            ("postgres://a:se@cret@db/shop?sslmode=require&password=x", "db/shop"),
            ("postgresql://db/shop", "db/shop"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
