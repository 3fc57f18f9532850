//! Changes a server's next start, signals and stops it, and takes its file writes and its provider away.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{TestServer, has_internal_listener, run_command, serving_command};
use crate::http_client::ApiClient;
use crate::process::{is_alive, send_signal};
use crate::until::until;

const PROVIDER_END_TIMEOUT: Duration = Duration::from_secs(40);

impl TestServer {
    /// Runs another program from the next start on.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn set_binary(&mut self, binary: &Path) -> anyhow::Result<()> {
        self.options.binary = binary.to_owned();
        self.has_internal_listener = has_internal_listener(binary);
        self.operator = ApiClient::new(&format!("http://{}", self.readiness_address()))?;
        self.renew_command();
        Ok(())
    }

    /// Changes a setting from the next start on.
    pub fn set_environment(&mut self, name: &str, value: &str) {
        self.options.environment.retain(|(known, _)| known != name);
        self.options.environment.push((name.to_owned(), value.to_owned()));
        self.renew_command();
    }

    fn renew_command(&mut self) {
        let Self { options, address, internal_address, has_internal_listener, .. } = &*self;
        let command = serving_command(options, address, internal_address, *has_internal_listener);
        self.process.set_command(&command);
    }

    /// Runs another command of the binary with this server's settings to its end, and returns its standard output.
    ///
    /// # Errors
    /// It fails.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let data = self.options.data.with_extension("commands");
        run_command(&self.options.binary, arguments, &data, &self.options.environment).await
    }

    /// Starts the server where it is down, as a supervisor does; true where it had ended by itself.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart_if_ended(&mut self) -> anyhow::Result<bool> {
        self.process.restart_if_ended()
    }

    /// Kills the server without warning (SIGKILL).
    ///
    /// # Errors
    /// It is down.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Kills the server (SIGKILL); nothing where it is down.
    pub fn kill_if_running(&mut self) {
        self.process.kill_if_running();
    }

    /// Sends SIGTERM and waits until the server has drained.
    ///
    /// # Errors
    /// It is down, does not end in time, or ends with an error.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        ensure!(self.pid().is_some(), "{} is down already", self.options.name);
        let status = self.process.stop("-TERM").await?;
        ensure!(status.success(), "{} ended with {status} (see {})", self.options.name, self.options.log.display());
        Ok(())
    }

    /// Sends SIGTERM without waiting.
    ///
    /// # Errors
    /// The server is down.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.process.signal("-TERM")
    }

    /// Waits for the end of the server.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Sends a signal, e.g. `-STOP`, where the server runs; false where it is down.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn signal_if_running(&mut self, name: &str) -> anyhow::Result<bool> {
        self.process.signal_if_running(name)
    }

    /// Lets the server's process write files, or refuses every write (`prlimit --fsize`); reads go on.
    ///
    /// # Errors
    /// `prlimit` refuses, or the server is down.
    pub fn allow_file_writes(&self, allowed: bool) -> anyhow::Result<()> {
        ensure!(self.options.survives_full_disk, "{} would be ended by a refused write", self.options.name);
        let pid = self.pid().with_context(|| format!("{} is down", self.options.name))?.to_string();
        let limit = if allowed { "--fsize=unlimited:unlimited" } else { "--fsize=0:unlimited" };
        let status = Command::new("prlimit").args(["--pid", &pid, limit]).status()?;
        ensure!(status.success(), "prlimit: {status}");
        Ok(())
    }

    /// Kills the sandbox provider that a demo has started (SIGKILL); false where there is none right now.
    ///
    /// # Errors
    /// The provider does not end.
    pub async fn kill_provider(&self) -> anyhow::Result<bool> {
        let Some(pid) = provider_pid(&self.options.data) else { return Ok(false) };
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let file = self.options.data.join("sandbox");
        if !command.contains("sandbox-psp") || !command.contains(file.to_str().unwrap_or("?")) {
            return Ok(false);
        }
        send_signal("-KILL", pid)?;
        until("the provider is gone", PROVIDER_END_TIMEOUT, || async { Ok((!is_alive(pid)).then_some(())) }).await?;
        Ok(true)
    }
}

/// The process that the provider's lock file names.
fn provider_pid(data: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data.join("sandbox/charges.jsonl.lock")).ok()?;
    let lock: Value = serde_json::from_str(&text).ok()?;
    lock["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())
}
