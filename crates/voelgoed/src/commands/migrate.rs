//! Runs `voelgoed migrate`: migrates the schema of Postgres while nodes of the previous release serve on it.

use anyhow::Context;
use voelgoed_cold::db::migrate_postgres;

use super::open_data;
use crate::data_directory::IfMissing;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::store_urls::{ColdStore, StoreUrls};
use crate::wiring::postgres;

/// Runs the missing steps and prints their names. The embedded database migrates at each start.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let stores = StoreUrls::of(settings, Role::All)?;
    open_data(settings, IfMissing::Refuse)?;
    if stores.cold == ColdStore::Embedded {
        return output::line("nothing to do: the embedded database migrates when it is opened");
    }
    let steps = migrate_postgres(&postgres(&stores.cold))
        .await
        .context("a schema step did not run; those before it stay, and this command goes on with it")?;
    for step in &steps {
        output::line(step)?;
    }
    output::line(format_args!("{} steps", steps.len()))
}
