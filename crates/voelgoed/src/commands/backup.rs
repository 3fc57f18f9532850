//! `voelgoed backup` and `voelgoed restore`: the data directory, whole, while it is in use.

use std::path::Path;

use anyhow::bail;
use voelgoed_app::environment::Environment;
use voelgoed_cold::backup as cold;

use super::open_data;
use crate::data_directory::IfMissing;
use crate::environment::Machine;
use crate::settings::Settings;
use crate::tiers::ColdStore;
use crate::{output, sandbox, secret};

/// What stands beside the database and must be kept with it. `demo.json` stays behind: it holds keys as they are, and a demo can be made again.
const OTHERS: &[&str] = &[secret::FILE, sandbox::FILE];

/// Copies the data directory to a new one.
pub async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
    if ColdStore::parse(&settings.cold.url, &settings.cold.replicas)? != ColdStore::Embedded {
        bail!("the data is in Postgres: back it up with pg_dump or pg_basebackup, and keep the master key with it");
    }
    open_data(settings, IfMissing::Refuse)?;
    let directory = &settings.data.directory;
    let there: Vec<&str> = OTHERS.iter().copied().filter(|name| directory.join(name).exists()).collect();
    let manifest = cold::backup(directory, &there, to, Machine.now()).await?;
    let lines = manifest.files.iter().map(|file| format!("{:>12}  {}\n", file.bytes, file.name));
    output::text(lines.collect::<String>())
}

/// Puts a backup into the data directory, which must be absent or empty.
pub async fn restore(settings: &Settings, from: &Path) -> anyhow::Result<()> {
    let manifest = cold::restore(from, &settings.data.directory).await?;
    let directory = settings.data.directory.display();
    output::line(format_args!("restored {} files of {} to {directory}", manifest.files.len(), manifest.at))
}
