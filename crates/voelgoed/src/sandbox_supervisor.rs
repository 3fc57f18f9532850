//! Keeps the sandbox payment provider running as a child process, restarts it when it ends, and reuses one that runs already or elsewhere.

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
use voelgoed_gateways::sandbox::{SandboxGateway, SandboxGatewayConfig, SandboxSecret};
use voelgoed_resilience::Capabilities;
use voelgoed_sandbox_psp::{ProviderEndpoint, find_running_provider};

use crate::data_files::SANDBOX_CHARGES;
use crate::settings;

/// For the start of the child.
const READY_TIMEOUT: Duration = Duration::from_secs(20);
/// Between checks of a running provider, and before a restart.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The provider's settings and the gateway to it.
#[derive(Clone)]
pub struct SandboxSupervisor {
    settings: settings::SandboxSettings,
    log: settings::LogSettings,
    file: PathBuf,
    secret: [u8; 32],
    callback_url: String,
    gateway: Arc<SandboxGateway>,
}

impl SandboxSupervisor {
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
        // Replaced once the child has reported its address.
        let url = if settings.url.is_empty() { "http://127.0.0.1:1" } else { settings.url.trim_end_matches('/') };
        let config = SandboxGatewayConfig::new(url, SandboxSecret::new(secret)?);
        let gateway = Arc::new(SandboxGateway::new(config)?.reporting(capabilities));
        Ok(Self { settings, log, file: directory.join(SANDBOX_CHARGES), secret, callback_url, gateway })
    }

    /// The gateway to the provider.
    pub fn gateway(&self) -> Arc<SandboxGateway> {
        Arc::clone(&self.gateway)
    }

    /// Keeps a provider running until `stopping`, unless the settings name its URL; a child ends with this process.
    pub async fn keep(self, environment: Arc<dyn Environment>, stopping: CancellationToken) {
        if !self.settings.url.is_empty() {
            return stopping.cancelled().await;
        }
        while !stopping.is_cancelled() {
            let ended = tokio::select! {
                () = stopping.cancelled() => return,
                ended = self.run_once(&*environment) => ended,
            };
            if let Err(error) = ended {
                tracing::warn!(%error, slice = "payments", "the sandbox provider could not be kept");
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    /// Finds or starts a provider, and returns when it has ended.
    async fn run_once(&self, environment: &dyn Environment) -> anyhow::Result<()> {
        if let Some(running) = find_running_provider(&self.file).await? {
            self.connect(environment, &running).await?;
            tracing::info!(
                url = running.url,
                pid = running.pid,
                slice = "payments",
                "reusing the running sandbox provider"
            );
            while find_running_provider(&self.file).await?.is_some_and(|now| now.pid == running.pid) {
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
            return Ok(());
        }
        let (mut child, ready) = self.start().await?;
        self.connect(environment, &ready).await?;
        tracing::info!(url = ready.url, pid = ready.pid, slice = "payments", "the sandbox provider is up");
        // The child ends when its standard input ends; `wait` would close it.
        let open_stdin = child.stdin.take();
        let status = child.wait().await?;
        drop(open_stdin);
        tracing::warn!(%status, slice = "payments", "the sandbox provider ended; restarting it");
        Ok(())
    }

    async fn connect(&self, environment: &dyn Environment, ready: &ProviderEndpoint) -> anyhow::Result<()> {
        self.gateway.set_url(ready.url.clone());
        self.gateway.register_callback_url(&self.callback_url, environment.now()).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<(Child, ProviderEndpoint)> {
        let program = std::env::current_exe().context("cannot find this program's file")?;
        let mut command = Command::new(program);
        command
            .arg("sandbox-psp")
            .args(["--listen", &self.settings.listen.to_string()])
            .arg("--file")
            .arg(&self.file)
            .args(["--callback-url", &self.callback_url])
            .args(["--time-scale", &self.settings.time_scale.to_string()])
            .arg("--exit-with-parent")
            // The environment may hold the master key and the operator's key.
            .env_clear()
            .env("VOELGOED__LOG__FILTER", &self.log.filter)
            .env("VOELGOED__LOG__FORMAT", &self.log.format)
            // Every user of the machine can read command lines.
            .env(SECRET_VARIABLE, hex::encode(self.secret))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the sandbox provider")?;
        let stdout = child.stdout.take().context("the child has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(READY_TIMEOUT, lines.next_line())
            .await
            .context("the sandbox provider is not ready")??;
        let Some(line) = line else { bail!("the sandbox provider ended at once") };
        Ok((child, serde_json::from_str(&line).context("the sandbox provider's first line")?))
    }
}

/// The environment variable that carries the callback secret to the child.
pub const SECRET_VARIABLE: &str = "VOELGOED_SANDBOX_SECRET";

/// The secret that signs callbacks; derived, so that it survives a restart.
pub fn callback_secret(master: &MasterKey) -> [u8; 32] {
    master.derive("sandbox callbacks", &[])
}
