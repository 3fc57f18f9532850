//! `voelgoed migrate`: brings the schema of Postgres up to date, while nodes of the release before serve on it.

use anyhow::Context;
use voelgoed_cold::db::migrate_postgres;

use super::open_data;
use crate::data_directory::IfMissing;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::tiers::{ColdStore, Tiers};
use crate::wiring::postgres;

/// Runs the steps that the schema lacks, all or none, and names them. The embedded database does this at each start by itself.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let tiers = Tiers::of(settings, Role::All)?;
    open_data(settings, IfMissing::Refuse)?;
    if tiers.cold == ColdStore::Embedded {
        return output::line("nothing to do: the embedded database migrates when it is opened");
    }
    let steps = migrate_postgres(&postgres(&tiers.cold))
        .await
        .context("a schema step did not run; those before it stay, and this command goes on with it")?;
    for step in &steps {
        output::line(step)?;
    }
    output::line(format_args!("{} steps", steps.len()))
}
