//! A node of the platform: started, killed without warning, stopped in order, started again at the same address.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use tokio::process::Command;

use super::daemon::{Daemon, output};
use crate::client::{Call, Client};
use crate::until::until;

/// A start takes at most this.
const START: Duration = Duration::from_secs(60);

/// A node, running or not.
#[derive(Debug)]
pub struct Node {
    /// What it is called here.
    pub name: String,
    /// `all`, `web` or `worker`.
    pub role: String,
    /// Where it listens, also while it is down; a worker for operators only.
    pub address: String,
    /// Where it answers operators.
    pub internal_address: String,
    binary: PathBuf,
    /// False for a program from before the internal listener, which answers operators where it serves people.
    has_internal_listener: bool,
    root: PathBuf,
    environment: Vec<(String, String)>,
    daemon: Option<Daemon>,
}

impl Node {
    pub(super) fn new(
        name: &str,
        role: &str,
        (port, internal_port): (u16, u16),
        binary: &Path,
        root: &Path,
        environment: Vec<(String, String)>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            role: role.to_owned(),
            address: format!("127.0.0.1:{}", if role == "worker" { internal_port } else { port }),
            internal_address: format!("127.0.0.1:{internal_port}"),
            binary: binary.to_owned(),
            has_internal_listener: has_internal_listener(binary),
            root: root.to_owned(),
            environment,
            daemon: None,
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of this node alone.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.url())
    }

    /// Where it says whether it is ready.
    #[must_use]
    pub fn check_address(&self) -> &str {
        if self.has_internal_listener { &self.internal_address } else { &self.address }
    }

    /// A client of where this node answers operators.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn operator(&self) -> anyhow::Result<Client> {
        Client::new(&format!("http://{}", self.check_address()))
    }

    /// True where it serves people.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.role != "worker"
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().and_then(Daemon::pid)
    }

    /// Runs another program from its next start on.
    pub fn runs(&mut self, binary: &Path) {
        self.binary = binary.to_owned();
        self.has_internal_listener = has_internal_listener(binary);
    }

    /// Tells it something else from its next start on.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Runs another command of the binary as this node would; what it printed.
    ///
    /// # Errors
    /// Where it fails.
    pub async fn ask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--data").arg(self.root.join("asked")).envs(self.environment.iter().cloned());
        output(command).await
    }

    /// Starts it; see [`Self::ready`].
    ///
    /// # Errors
    /// Where it runs already, or cannot be started.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        ensure!(self.pid().is_none(), "{} runs already", self.name);
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--role", &self.role, "--data"]).arg(self.root.join(&self.name));
        if self.has_internal_listener {
            command.args(["--internal-listen", &self.internal_address]);
        }
        if self.serves() || !self.has_internal_listener {
            command.args(["--listen", &self.address]);
        }
        command.envs(self.environment.iter().cloned());
        self.daemon = Some(Daemon::start(&self.name, &self.address, command, &self.root)?);
        Ok(())
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// Where it is not in time.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let client = self.operator()?;
        let log = self.root.join(format!("{}.log", self.name));
        until(&format!("{} is ready (see {})", self.name, log.display()), START, || async {
            let answer = client.call(Method::GET, "/readyz", Call::default()).await;
            Ok(answer.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await
    }

    /// kill -9.
    ///
    /// # Errors
    /// Where it is not running.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut daemon = self.daemon.take().with_context(|| format!("{} is down already", self.name))?;
        daemon.stop("-KILL").await?;
        Ok(())
    }

    /// SIGTERM, and waits until it has drained.
    ///
    /// # Errors
    /// Where it does not end in time, or badly.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut daemon = self.daemon.take().with_context(|| format!("{} is down already", self.name))?;
        let in_order = daemon.stop("-TERM").await?;
        ensure!(in_order, "{} ended badly (see {})", self.name, daemon.log.display());
        Ok(())
    }

    /// Sends a signal, e.g. `-STOP`.
    ///
    /// # Errors
    /// Where it is not running.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        self.daemon.as_ref().with_context(|| format!("{} is down", self.name))?.signal(name).await
    }
}

/// Whether the program's `serve` knows the option.
fn has_internal_listener(binary: &Path) -> bool {
    let help = std::process::Command::new(binary).args(["serve", "--help"]).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--internal-listen"))
}
