//! The sandbox payment provider: one that runs elsewhere for all nodes, or a child process of this one, which is started (or a living one
//! reused) and started anew where it dies.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::token::MasterKey;
use voelgoed_gateways::sandbox::{CallbackSecret, Ready, SandboxGateway, SandboxGatewayConfig, reuse_or_describe};
use voelgoed_resilience::Capabilities;

use crate::settings;

/// The provider's file in the data directory.
pub const FILE: &str = "sandbox/charges.jsonl";
/// A child that is not ready by then is not going to be.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// Between looks at the child.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What starts it.
#[derive(Clone)]
pub struct Sandbox {
    settings: settings::Sandbox,
    log: settings::Log,
    file: PathBuf,
    secret: [u8; 32],
    callback_url: String,
    gateway: Arc<SandboxGateway>,
}

impl Sandbox {
    /// A provider over a file in `directory`, which calls back at `server_url`.
    pub fn new(
        settings: &settings::Settings,
        directory: &Path,
        master: &MasterKey,
        server_url: &str,
        capabilities: Capabilities,
    ) -> anyhow::Result<Self> {
        let (settings, log) = (settings.sandbox.clone(), settings.log.clone());
        let callback_url = format!("{server_url}/api/v1/providers/sandbox/callback");
        let secret = callback_secret(master);
        // Until a child said where it is.
        let url = if settings.url.is_empty() { "http://127.0.0.1:1" } else { settings.url.trim_end_matches('/') };
        let config = SandboxGatewayConfig::new(url, CallbackSecret::new(secret)?);
        let gateway = Arc::new(SandboxGateway::new(config)?.reporting(capabilities));
        Ok(Self { settings, log, file: directory.join(FILE), secret, callback_url, gateway })
    }

    /// The gateway to it.
    pub fn gateway(&self) -> Arc<SandboxGateway> {
        Arc::clone(&self.gateway)
    }

    /// Keeps a provider alive until `stopping`, unless it is somebody else's; a child ends with this process in any case.
    pub async fn keep(self, environment: Arc<dyn Environment>, stopping: CancellationToken) {
        if !self.settings.url.is_empty() {
            return stopping.cancelled().await;
        }
        while !stopping.is_cancelled() {
            let lived = tokio::select! {
                () = stopping.cancelled() => return,
                lived = self.once(&*environment) => lived,
            };
            if let Err(error) = lived {
                tracing::warn!(%error, slice = "payments", "the sandbox provider could not be kept");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Finds or starts a provider, and returns when it is gone.
    async fn once(&self, environment: &dyn Environment) -> anyhow::Result<()> {
        if let Some(living) = reuse_or_describe(&self.file).await? {
            self.arrive(environment, &living).await?;
            tracing::info!(
                url = living.url,
                pid = living.pid,
                slice = "payments",
                "reusing the living sandbox provider"
            );
            while reuse_or_describe(&self.file).await?.is_some_and(|now| now.pid == living.pid) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            return Ok(());
        }
        let (mut child, ready) = self.start().await?;
        self.arrive(environment, &ready).await?;
        tracing::info!(url = ready.url, pid = ready.pid, slice = "payments", "the sandbox provider is up");
        // Held open while we live: its end is how the child knows that we are gone, and waiting would close it.
        let lifeline = child.stdin.take();
        let status = child.wait().await?;
        drop(lifeline);
        tracing::warn!(%status, slice = "payments", "the sandbox provider ended; starting it anew");
        Ok(())
    }

    async fn arrive(&self, environment: &dyn Environment, ready: &Ready) -> anyhow::Result<()> {
        self.gateway.move_to(ready.url.clone());
        self.gateway.announce_callback_url(&self.callback_url, environment.now()).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<(Child, Ready)> {
        let program = std::env::current_exe().context("where am I")?;
        let mut command = Command::new(program);
        command
            .arg("sandbox-psp")
            .args(["--listen", &self.settings.listen.to_string()])
            .arg("--file")
            .arg(&self.file)
            .args(["--callback-url", &self.callback_url])
            .args(["--time-scale", &self.settings.time_scale.to_string()])
            .arg("--exit-with-parent")
            // Nothing of our environment, which may hold the master secret and the operator's key.
            .env_clear()
            .env("VOELGOED__LOG__FILTER", &self.log.filter)
            .env("VOELGOED__LOG__FORMAT", &self.log.format)
            // Not on the command line, where every user of the machine could read it.
            .env(SECRET_VARIABLE, hex(&self.secret))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the sandbox provider")?;
        let stdout = child.stdout.take().context("the child has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(READY_WITHIN, lines.next_line())
            .await
            .context("the sandbox provider is not ready")??;
        let Some(line) = line else { bail!("the sandbox provider ended at once") };
        Ok((child, serde_json::from_str(&line).context("the sandbox provider's first line")?))
    }
}

/// The environment variable that carries the callback secret to the child.
pub const SECRET_VARIABLE: &str = "VOELGOED_SANDBOX_SECRET";

/// The secret of callbacks, derived so that a restart knows it again.
pub fn callback_secret(master: &MasterKey) -> [u8; 32] {
    master.derive("sandbox callbacks", &[])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
