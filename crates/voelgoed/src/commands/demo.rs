//! Runs `voelgoed demo`: creates an organization with events in an empty data directory, or renews the events of an earlier demo, then serves.

use std::io::ErrorKind;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::refusal::{Code, Refusal};

use super::open_data;
use super::renew_demo::{keep_renewed, renew};
use super::seed_demo::{Seeded, SeededEvent, seed};
use super::serve::{prepare, until_signal};
use crate::data_directory::{self, IfMissing};
use crate::data_files::DEMO;
use crate::master_key::write_private;
use crate::output;
use crate::role::Role;
use crate::settings::{DEFAULT_LISTEN, Settings};
use crate::wiring::{Runtime, wire};

/// The line that `--json` prints.
#[derive(Serialize)]
struct DemoCard<'a> {
    url: &'a str,
    /// Absent if nothing is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_url: Option<&'a str>,
    organization: String,
    api_key: &'a str,
    device_key: &'a str,
    gate: String,
    events: &'a [SeededEvent],
}

/// Seeds or renews, then serves.
pub async fn demo(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let earlier = earlier_demo(settings)?;
    let settings = &on_a_free_port(settings);
    let prepared = prepare(settings, Role::All).await?;
    let seeded = renewed_or_new(settings, &prepared.runtime, earlier).await?;
    print(&seeded, &prepared.url, Some(&prepared.internal_url), json)?;
    let slices = prepared.runtime.slices.clone();
    tokio::select! {
        ended = until_signal(prepared, settings) => ended,
        never = keep_renewed(&slices, &seeded) => match never {},
    }
}

/// Seeds or renews, and prints the card.
pub async fn seed_only(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let url = match settings.server.public_url.trim_end_matches('/') {
        "" => format!("http://{}", settings.server.listen),
        public => public.to_owned(),
    };
    let earlier = earlier_demo(settings)?;
    open_data(settings, IfMissing::Create)?;
    let runtime = wire(settings, Role::All, &url).await?;
    let seeded = renewed_or_new(settings, &runtime, earlier).await;
    runtime.cold.close().await;
    print(&seeded?, &url, None, json)
}

fn print(seeded: &Seeded, url: &str, internal_url: Option<&str>, json: bool) -> anyhow::Result<()> {
    if json {
        let line = DemoCard {
            url,
            internal_url,
            organization: seeded.organization.to_string(),
            api_key: &seeded.api_key,
            device_key: &seeded.device_key,
            gate: seeded.gate.to_string(),
            events: &seeded.events,
        };
        return output::line(serde_json::to_string(&line)?);
    }
    output::line(format_args!("The shop is open at {url}"))?;
    for event in &seeded.events {
        output::line(format_args!("  {url}/events/{}  {}", event.id, event.name))?;
    }
    output::line(format_args!("API key    {}", seeded.api_key))?;
    output::line(format_args!("Device key {}", seeded.device_key))?;
    output::line(format_args!("Gate       {}", seeded.gate))?;
    output::line(format_args!("API        {url}/api/v1/openapi.json"))?;
    match internal_url {
        Some(internal_url) => output::line(format_args!("Operators  {internal_url}/readyz")),
        None => Ok(()),
    }
}

/// The demo of an earlier start. It is read before anything is created or changed, since a damaged file needs a person.
fn earlier_demo(settings: &Settings) -> anyhow::Result<Option<Seeded>> {
    let path = settings.data.directory.join(DEMO);
    let content = match std::fs::read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    serde_json::from_slice(&content).map(Some).map_err(|error| {
        anyhow!(
            "{} is damaged ({error}): it holds the keys and events of this demo. {UNUSABLE_FILE_ADVICE}",
            path.display()
        )
    })
}

/// Advice about a file that does not fit its shop.
const UNUSABLE_FILE_ADVICE: &str = "Nothing was changed. Put a copy of the file back, name an empty directory with --data for a new demo, \
                        or run `voelgoed serve`, which opens this shop without the file";

async fn renewed_or_new(settings: &Settings, runtime: &Runtime, earlier: Option<Seeded>) -> anyhow::Result<Seeded> {
    let path = settings.data.directory.join(DEMO);
    if let Some(seeded) = earlier {
        let renewed = renew(&runtime.slices, &seeded).await;
        renewed.map_err(|error| match error.downcast_ref::<Refusal>() {
            Some(refusal) if refusal.code == Code::NotFound => {
                anyhow!("{} names events that this shop does not have. {UNUSABLE_FILE_ADVICE}", path.display())
            }
            _ => error,
        })?;
        return Ok(seeded);
    }
    refuse_shop_of_others(settings, runtime).await?;
    let seeded = seed(&runtime.slices).await?;
    // The file holds keys, so only its owner reads it, and no backup contains it.
    write_private(&path, &serde_json::to_vec(&seeded)?)?;
    Ok(seeded)
}

/// Refuses a demo in the data of another shop, since it would publish its events there.
async fn refuse_shop_of_others(settings: &Settings, runtime: &Runtime) -> anyhow::Result<()> {
    let found = runtime.slices.accounts.store.organizations(PageRequest::default()).await?.items;
    let Some(first) = found.first() else { return Ok(()) };
    let directory = data_directory::shown(&settings.data.directory);
    bail!(
        "there is a shop already, with {} organization{} (`{}`): a demo would publish its events there. Nothing was changed. \
         Name an empty directory with --data, or run `voelgoed serve` to open this shop ({} has no {DEMO}, which backups leave out)",
        found.len(),
        if found.len() == 1 { "" } else { "s or more" },
        first.slug,
        directory.display(),
    )
}

/// Takes any free port if the default one is in use; the demo prints its address.
fn on_a_free_port(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    let listen = settings.server.listen;
    let is_default = listen.to_string() == DEFAULT_LISTEN;
    let is_taken = std::net::TcpListener::bind(listen).is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
    if is_default && is_taken {
        output::note(format_args!("{listen} is in use; serving on a free port instead (choose one with --listen)"));
        settings.server.listen.set_port(0);
    }
    settings
}
