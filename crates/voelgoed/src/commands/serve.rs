//! Runs `voelgoed serve`: prepares logging, sockets, locks and the runtime, and runs a node until SIGINT or SIGTERM.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use voelgoed_cold::process_claim::{ProcessClaim, ProcessClaimGuard, claim};
use voelgoed_telemetry::{Exporter, LogConfig, init_logging, install};

use super::open_data;
use crate::data_directory::{IfMissing, holds_database};
use crate::data_files::SERVER_LOCK;
use crate::node::{self, Listeners, Stop};
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::store_urls::{ColdStore, StoreUrls};
use crate::unsafe_settings;
use crate::wiring::{Runtime, postgres, wire};

const CLAIM_LOST: &str = "this process lost its connection to Postgres, and another process has claimed the database since; this one has ended. \
                           Orders, payments and scans that were answered are stored (cold.url, warm.url)";

/// A process that is ready to run.
pub struct PreparedNode {
    /// The parts of the process.
    pub runtime: Runtime,
    /// The public URL; on a worker that of the web nodes.
    pub url: String,
    /// The URL for operators.
    pub internal_url: String,
    listeners: Listeners,
    exporter: &'static Exporter,
    role: Role,
    /// The claim on Postgres.
    claimed: Option<ProcessClaimGuard>,
}

/// Serves.
pub async fn serve(settings: &Settings, role: Role, json: bool) -> anyhow::Result<()> {
    let prepared = prepare(settings, role).await?;
    let PreparedNode { url, internal_url, .. } = &prepared;
    if json {
        output::line(serde_json::json!({"url": url, "internal_url": internal_url, "role": role.as_str()}))?;
    } else if role.serves() {
        output::note(format_args!("voelgoed serves at {url} (role {role}), for operators at {internal_url}"));
    } else {
        output::note(format_args!("voelgoed works (role {role}), for operators at {internal_url}"));
    }
    until_signal(prepared, settings).await
}

/// Starts logging and metrics, checks the settings, locks the data, binds the sockets and builds the runtime.
pub async fn prepare(settings: &Settings, role: Role) -> anyhow::Result<PreparedNode> {
    let format = settings.log.format.parse().map_err(anyhow::Error::msg).context("log.format")?;
    init_logging(&LogConfig { format, filter: settings.log.filter.clone(), service_type: role.to_string() })?;
    let exporter = install(role.as_str());
    unsafe_settings::check(settings)?;
    let stores = StoreUrls::of(settings, role)?;
    // A refused start creates nothing. With existing data the lock is taken before the port, since its error explains more.
    let may_create = stores.cold == ColdStore::Embedded && !holds_database(&settings.data.directory);
    let bound = may_create.then(|| Listeners::bind(settings, role)).transpose()?;
    open_data(settings, IfMissing::Create)?;
    let claimed = if stores.cold == ColdStore::Embedded {
        // The lock is held until the process ends.
        std::mem::forget(lock(&settings.data.directory)?);
        None
    } else {
        let kind = if stores.warm.is_of_one_process() { ProcessClaim::Exclusive } else { ProcessClaim::Shared };
        Some(claim(&postgres(&stores.cold), kind).await.context("cold.url, warm.url")?)
    };
    let listeners = bound.map_or_else(|| Listeners::bind(settings, role), Ok)?;
    let url = match (settings.server.public_url.trim_end_matches('/'), &listeners.public) {
        ("", Some(listener)) => format!("http://{}", listener.local_addr()?),
        ("", None) => format!("http://{}", settings.server.listen),
        (public, _) => public.to_owned(),
    };
    let internal_url = format!("http://{}", listeners.internal.local_addr()?);
    let runtime = wire(settings, role, &url).await?;
    Ok(PreparedNode { runtime, url, internal_url, listeners, exporter, role, claimed })
}

/// Allows one server per data directory: each of two would relay a part of the outbox events to its own warm tier.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join(SERVER_LOCK);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    file.try_lock().with_context(|| format!("another server runs on {}", directory.display()))?;
    Ok(file)
}

/// Runs the node until a signal, or until another process has claimed the database.
pub async fn until_signal(prepared: PreparedNode, settings: &Settings) -> anyhow::Result<()> {
    let PreparedNode { runtime, listeners, exporter, role, claimed, .. } = prepared;
    let stop = Stop::default();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let signalled = async {
        let mut next_signal = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next_signal().await;
        tracing::info!(lame_duck_ms = settings.server.lame_duck.as_millis(), "stopping; no longer ready");
        stop.leaving.cancel();
        // Each further signal skips the wait of one step.
        tokio::select! {
            () = next_signal() => {}
            () = tokio::time::sleep(settings.server.lame_duck) => {}
        }
        tracing::info!("draining");
        stop.stopping.cancel();
        next_signal().await;
        tracing::warn!("stopping at once after another signal");
    };
    let claim_lost = async {
        match claimed {
            Some(claimed) => claimed.run_until_lost().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = node::run(runtime, settings, role, listeners, exporter, stop.clone()) => ended,
        () = signalled => Ok(()),
        // At once, since the other process does the same work.
        error = claim_lost => Err(anyhow::Error::new(error).context(CLAIM_LOST)),
    }
}
