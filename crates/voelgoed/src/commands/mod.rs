//! One file per command: it wires what it needs, runs commands of `app`, and prints what a person or a script needs next.

mod backup;
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
mod seed;
mod serve;

use anyhow::Context;
use clap::CommandFactory;

pub use demo::FILE as DEMO_FILE;

use crate::cli::{Cli, Command};
use crate::data_directory::{self, IfMissing};
use crate::effective_settings::effective;
use crate::output;
use crate::secret::configured_key;
use crate::settings::{Flags, Settings};
use crate::tiers::{ColdStore, WarmStore};

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
        Command::Openapi => output::line(voelgoed_web::assembly::document().to_pretty_json()?),
        Command::Settings => output::text(effective(cli.config.as_deref(), &flags)?),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "voelgoed", &mut script);
            output::text(String::from_utf8(script)?)
        }
        organizer => organizer::run(organizer, &settings()?).await,
    }
}

/// Opens the data directory, and says on standard error which data the command uses.
///
/// # Errors
/// As [`data_directory::open`]; before something is created, where the stores or the master key of the configuration are not usable.
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
