//! Runs `voelgoed backup` and `voelgoed restore`: copies the data directory consistently while it is in use, and back.

use std::path::Path;

use anyhow::bail;
use voelgoed_app::environment::Environment;
use voelgoed_cold::backup as cold;

use super::open_data;
use crate::data_directory::IfMissing;
use crate::data_files::{MASTER_KEY, SANDBOX_CHARGES};
use crate::output;
use crate::settings::Settings;
use crate::store_urls::ColdStore;
use crate::system_environment::SystemEnvironment;

/// Files that a backup needs beside the database. Not `demo.json`: it holds keys in plain text, and a demo can be created again.
const FILES_BESIDE_DATABASE: &[&str] = &[MASTER_KEY, SANDBOX_CHARGES];

/// Copies the data directory to a new one.
pub async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
    if ColdStore::parse(&settings.cold.url, &settings.cold.replicas)? != ColdStore::Embedded {
        bail!("the data is in Postgres: back it up with pg_dump or pg_basebackup, and keep the master key with it");
    }
    open_data(settings, IfMissing::Refuse)?;
    let directory = &settings.data.directory;
    let present: Vec<&str> =
        FILES_BESIDE_DATABASE.iter().copied().filter(|name| directory.join(name).exists()).collect();
    let manifest = cold::backup(directory, &present, to, SystemEnvironment.now()).await?;
    let lines = manifest.files.iter().map(|file| format!("{:>12}  {}\n", file.bytes, file.name));
    output::text(lines.collect::<String>())
}

/// Puts a backup into the data directory, which must be absent or empty.
pub async fn restore(settings: &Settings, from: &Path) -> anyhow::Result<()> {
    let manifest = cold::restore(from, &settings.data.directory).await?;
    let directory = settings.data.directory.display();
    output::line(format_args!("restored {} files of {} to {directory}", manifest.files.len(), manifest.at))
}
