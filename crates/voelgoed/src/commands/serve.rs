//! `voelgoed serve`: the shop, the API and everything behind them, until SIGINT or SIGTERM.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use voelgoed_telemetry::{Exporter, LogConfig, init_logging, install};

use crate::node;
use crate::settings::Settings;
use crate::wiring::{Wired, wire};

/// The role of this process in logs and metrics.
const ROLE: &str = "all";

/// Serves.
pub async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let (wired, listener, exporter, url) = prepare(settings).await?;
    eprintln!("voelgoed serves at {url}");
    until_signal(wired, settings, listener, exporter).await
}

/// Logging, metrics, the socket and the wiring; what they need of each other is the address.
pub async fn prepare(settings: &Settings) -> anyhow::Result<(Wired, TcpListener, &'static Exporter, String)> {
    let format = settings.log.format.parse().map_err(anyhow::Error::msg).context("log.format")?;
    init_logging(&LogConfig { format, filter: settings.log.filter.clone(), service_type: ROLE.to_owned() })?;
    let exporter = install(ROLE);
    let lock = lock(&settings.data.directory)?;
    let listener = node::bind(settings)?;
    let url = match settings.server.public_url.trim_end_matches('/') {
        "" => format!("http://{}", listener.local_addr()?),
        public => public.to_owned(),
    };
    let wired = wire(settings, &url).await?;
    // Held until the process ends.
    std::mem::forget(lock);
    Ok((wired, listener, exporter, url))
}

/// One server per data directory: two would each relay half of the facts to a warm tier of their own.
fn lock(directory: &Path) -> anyhow::Result<File> {
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
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

/// Runs the node until the process is asked to stop.
pub async fn until_signal(
    wired: Wired,
    settings: &Settings,
    listener: TcpListener,
    exporter: &'static Exporter,
) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let asked = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("asked to stop; draining");
        stopping.cancel();
        // A second signal ends an impatient operator's wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::warn!("asked to stop again; not waiting for the rest");
    };
    tokio::select! {
        ended = node::run(wired, settings, listener, exporter, stopping.clone()) => ended,
        () = asked => Ok(()),
    }
}
