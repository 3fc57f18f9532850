//! The server as a process of its own on a data directory: started, killed without warning, started again at the same address.
//!
//! Never: a process that outlives its value, a signal to anything that was not started from here (the provider's id is in its own lock file).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::port::free_address;
use crate::until::until;

/// Seeding and starting take at most this.
const START: Duration = Duration::from_secs(120);
/// A stop in order takes at most this.
const STOP: Duration = Duration::from_secs(40);

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The `voelgoed` binary.
    pub binary: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
    /// Settings, e.g. `VOELGOED__SALE__HOLD`.
    pub environment: Vec<(&'static str, String)>,
}

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    address: String,
    child: Option<Child>,
    /// What the demo says about itself: `url`, `organization`, `api_key`, ….
    pub card: Value,
}

impl Server {
    /// Starts `voelgoed demo` and waits until it serves.
    ///
    /// # Errors
    /// Where it does not come up in time.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut server = Self { setup, address, child: None, card: Value::Null };
        server.rise().await?;
        Ok(server)
    }

    /// Where it is, also while it is down.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it answers operators, since its last start.
    #[must_use]
    pub fn internal_url(&self) -> &str {
        self.card["internal_url"].as_str().unwrap_or_default()
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// What it wrote to its log so far.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.setup.data.with_extension("log")
    }

    /// Starts it again at the same address, and waits until it is ready.
    ///
    /// # Errors
    /// Where it does not come up in time.
    pub async fn rise(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let mut command = Command::new(&self.setup.binary);
        command.args(["demo", "--json", "--listen", &self.address, "--data"]).arg(&self.setup.data);
        command.envs(self.setup.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log)).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.setup.binary.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout is piped")?).lines();
        let first = tokio::time::timeout(START, lines.next_line()).await;
        let Ok(Ok(Some(line))) = first else {
            bail!("the server does not start; see {}", self.log_file().display());
        };
        self.card = serde_json::from_str(&line).context("the server's first line")?;
        self.child = Some(child);
        // What else it prints is read, so that a full pipe never stops it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = Client::new(self.internal_url())?;
        until("ready", START, || async {
            let ready = client.call(reqwest::Method::GET, "/readyz", crate::client::Call::default()).await;
            Ok(ready.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await
    }

    /// kill -9.
    ///
    /// # Errors
    /// Where it was not running.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the server is down already")?;
        child.kill().await.context("kill -9")
    }

    /// SIGTERM, and waits until it has drained.
    ///
    /// # Errors
    /// Where it does not end in time, or badly.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the server is down already")?;
        let id = child.id().context("the server has ended by itself")?;
        signal("-TERM", id).await?;
        let status = tokio::time::timeout(STOP, child.wait()).await.context("the server does not stop")??;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    /// kill -9 of the sandbox provider that this server started; false where there is none right now.
    ///
    /// # Errors
    /// Where its lock file cannot be read.
    pub async fn kill_provider(&self) -> anyhow::Result<bool> {
        let Some(pid) = provider(&self.setup.data)? else { return Ok(false) };
        let name = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let file = self.setup.data.join("sandbox");
        if !name.contains("sandbox-psp") || !name.contains(file.to_str().unwrap_or("?")) {
            return Ok(false);
        }
        signal("-KILL", pid).await?;
        until("the provider is gone", STOP, || async { Ok((!alive(pid)).then_some(())) }).await?;
        Ok(true)
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.setup.data
    }
}

/// The process that the provider's lock file names.
fn provider(data: &Path) -> anyhow::Result<Option<u32>> {
    let file = data.join("sandbox/charges.jsonl.lock");
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
    let Ok(ready) = serde_json::from_str::<Value>(&text) else { return Ok(None) };
    Ok(ready["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()))
}

/// False also for a process that has ended and is not yet waited for.
fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

async fn signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").arg(name).arg(pid.to_string()).status().await?;
    if !status.success() {
        bail!("kill {name} {pid}: {status}");
    }
    Ok(())
}

/// A directory for one run's data, empty, below `root`; unix sockets and locks want it short.
///
/// # Errors
/// Where it cannot be made.
pub fn fresh_directory(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = root.join(name);
    if path.exists() {
        std::fs::remove_dir_all(&path)?;
    }
    let log = path.with_extension("log");
    if log.exists() {
        std::fs::remove_file(log)?;
    }
    std::fs::create_dir_all(root)?;
    Ok(path)
}

/// Copies a data directory that nobody uses.
///
/// # Errors
/// Where a file cannot be read or written.
pub fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
