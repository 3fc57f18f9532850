//! `voelgoed serve`: the shop, the API and everything behind them, until SIGINT or SIGTERM.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use voelgoed_cold::process_claim::{Claimed, ProcessClaim, claim};
use voelgoed_telemetry::{Exporter, LogConfig, init_logging, install};

use super::open_data;
use crate::data_directory::{IfMissing, holds_database};
use crate::node::{self, Listeners, Stop};
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::tiers::{ColdStore, Tiers};
use crate::unsafe_settings;
use crate::wiring::{Wired, postgres, wire};

/// Why a process has ended by itself.
const CLAIM_TAKEN: &str = "this process lost its connection to Postgres, and another process has claimed the database since; this one has ended. \
                           Orders, payments and scans that were answered are stored (cold.url, warm.url)";

/// A process that is about to run.
pub struct Prepared {
    /// Its parts.
    pub wired: Wired,
    /// Where it will answer people; where it serves nobody, its public address.
    pub url: String,
    /// Where it will answer operators.
    pub internal_url: String,
    listeners: Listeners,
    exporter: &'static Exporter,
    role: Role,
    /// On Postgres.
    claimed: Option<Claimed>,
}

/// Serves.
pub async fn serve(settings: &Settings, role: Role, json: bool) -> anyhow::Result<()> {
    let prepared = prepare(settings, role).await?;
    let Prepared { url, internal_url, .. } = &prepared;
    if json {
        output::line(serde_json::json!({"url": url, "internal_url": internal_url, "role": role.as_str()}))?;
    } else if role.serves() {
        output::note(format_args!("voelgoed serves at {url} (role {role}), for operators at {internal_url}"));
    } else {
        output::note(format_args!("voelgoed works (role {role}), for operators at {internal_url}"));
    }
    until_signal(prepared, settings).await
}

/// Logging, metrics, the socket and the wiring; what they need of each other is the address.
pub async fn prepare(settings: &Settings, role: Role) -> anyhow::Result<Prepared> {
    let format = settings.log.format.parse().map_err(anyhow::Error::msg).context("log.format")?;
    init_logging(&LogConfig { format, filter: settings.log.filter.clone(), service_type: role.to_string() })?;
    let exporter = install(role.as_str());
    unsafe_settings::check(settings)?;
    let tiers = Tiers::of(settings, role)?;
    // A start that is refused creates nothing. Where data is, the lock is asked before the port: its refusal says more.
    let may_create = tiers.cold == ColdStore::Embedded && !holds_database(&settings.data.directory);
    let bound = may_create.then(|| Listeners::bind(settings, role)).transpose()?;
    open_data(settings, IfMissing::Create)?;
    let claimed = if tiers.cold == ColdStore::Embedded {
        // Held until the process ends.
        std::mem::forget(lock(&settings.data.directory)?);
        None
    } else {
        let kind = if tiers.warm.is_of_one_process() { ProcessClaim::Only } else { ProcessClaim::OneOfSeveral };
        Some(claim(&postgres(&tiers.cold), kind).await.context("cold.url, warm.url")?)
    };
    let listeners = bound.map_or_else(|| Listeners::bind(settings, role), Ok)?;
    let url = match (settings.server.public_url.trim_end_matches('/'), &listeners.public) {
        ("", Some(listener)) => format!("http://{}", listener.local_addr()?),
        ("", None) => format!("http://{}", settings.server.listen),
        (public, _) => public.to_owned(),
    };
    let internal_url = format!("http://{}", listeners.internal.local_addr()?);
    let wired = wire(settings, role, &url).await?;
    Ok(Prepared { wired, url, internal_url, listeners, exporter, role, claimed })
}

/// One server per data directory: two would each relay half of the facts to a warm tier of their own.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join("server.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    file.try_lock().with_context(|| format!("another server runs on {}", directory.display()))?;
    Ok(file)
}

/// Runs the node until the process is asked to stop, or another process has its claim on the database.
pub async fn until_signal(prepared: Prepared, settings: &Settings) -> anyhow::Result<()> {
    let Prepared { wired, listeners, exporter, role, claimed, .. } = prepared;
    let stop = Stop::default();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked = async {
        let mut again = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        again().await;
        tracing::info!(lame_duck_ms = settings.server.lame_duck.as_millis(), "asked to stop; no longer ready");
        stop.leaving.cancel();
        // Each further signal ends an impatient operator's wait for one step.
        tokio::select! {
            () = again() => {}
            () = tokio::time::sleep(settings.server.lame_duck) => {}
        }
        tracing::info!("draining");
        stop.stopping.cancel();
        again().await;
        tracing::warn!("asked to stop again; not waiting for the rest");
    };
    let taken = async {
        match claimed {
            Some(claimed) => claimed.until_taken().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = node::run(wired, settings, role, listeners, exporter, stop.clone()) => ended,
        () = asked => Ok(()),
        // At once: whatever this process does from now on, the other one does too.
        error = taken => Err(anyhow::Error::new(error).context(CLAIM_TAKEN)),
    }
}
