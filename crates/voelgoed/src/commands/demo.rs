//! `voelgoed demo`: makes something to sell where the data directory is empty, then serves it.

use std::io::ErrorKind;

use anyhow::{Context, bail};
use serde::Serialize;

use super::seed::{Seeded, SeededEvent, seed};
use super::serve::{prepare, until_signal};
use crate::role::Role;
use crate::secret::write_private;
use crate::settings::Settings;
use crate::wiring::{Wired, wire};

/// Remembers what was made, so that later starts print the same.
pub const FILE: &str = "demo.json";

/// The one line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    url: &'a str,
    /// Absent where nothing is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_url: Option<&'a str>,
    organization: String,
    api_key: &'a str,
    device_key: &'a str,
    gate: String,
    events: &'a [SeededEvent],
}

/// Seeds where needed, then serves.
pub async fn demo(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let prepared = prepare(settings, Role::All).await?;
    let seeded = remembered_or_new(settings, &prepared.wired).await?;
    tell(&seeded, &prepared.url, Some(&prepared.internal_url), json)?;
    until_signal(prepared, settings).await
}

/// Seeds where needed, and says what there is.
pub async fn seed_only(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let url = match settings.server.public_url.trim_end_matches('/') {
        "" => format!("http://{}", settings.server.listen),
        public => public.to_owned(),
    };
    let wired = wire(settings, Role::All, &url).await?;
    let seeded = remembered_or_new(settings, &wired).await;
    wired.cold.close().await;
    tell(&seeded?, &url, None, json)
}

fn tell(seeded: &Seeded, url: &str, internal_url: Option<&str>, json: bool) -> anyhow::Result<()> {
    if json {
        let line = Line {
            url,
            internal_url,
            organization: seeded.organization.to_string(),
            api_key: &seeded.api_key,
            device_key: &seeded.device_key,
            gate: seeded.gate.to_string(),
            events: &seeded.events,
        };
        println!("{}", serde_json::to_string(&line)?);
    } else {
        println!("The shop is open at {url}");
        for event in &seeded.events {
            println!("  {url}/events/{}  {}", event.id, event.name);
        }
        println!("API key    {}", seeded.api_key);
        println!("Device key {}", seeded.device_key);
        println!("Gate       {}", seeded.gate);
        println!("API        {url}/api/v1/openapi.json");
        if let Some(internal_url) = internal_url {
            println!("Operators  {internal_url}/readyz");
        }
    }
    Ok(())
}

async fn remembered_or_new(settings: &Settings, wired: &Wired) -> anyhow::Result<Seeded> {
    let path = settings.data.directory.join(FILE);
    match std::fs::read(&path) {
        Ok(content) => serde_json::from_slice(&content).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if wired.platform.accounts.organization_by_slug("demo").await?.is_some() {
                bail!(
                    "{} holds a demo that was not finished; remove the directory, or serve it with `voelgoed serve`",
                    settings.data.directory.display()
                );
            }
            let seeded = seed(&wired.platform).await?;
            std::fs::create_dir_all(&settings.data.directory)?;
            // It holds keys, so only its owner reads it.
            write_private(&path, &serde_json::to_vec(&seeded)?)?;
            Ok(seeded)
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}
