//! A program of the platform that is started, killed without warning, stopped in its tracks, and started again.
//!
//! Never: a process that outlives its value, a signal to anything that was not started from here.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// How it is started.
#[derive(Debug)]
pub struct Process {
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Not yet started.
    pub fn new(
        binary: PathBuf,
        arguments: Vec<String>,
        environment: Vec<(&'static str, String)>,
        log: PathBuf,
    ) -> Self {
        Self { binary, arguments, environment, log, child: None }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts it; who wants it ready asks it.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(Stdio::from(log));
        self.child = Some(command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))?);
        Ok(())
    }

    /// Starts it where it is down, as its supervisor would; true where it had ended by itself.
    pub fn keep(&mut self) -> anyhow::Result<bool> {
        let ended = match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => false,
        };
        if ended || self.child.is_none() {
            self.start()?;
        }
        Ok(ended)
    }

    /// kill -9; nothing where it is down.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        match child.try_wait()? {
            None => child.kill().await.context("kill -9"),
            Some(_) => Ok(()),
        }
    }

    /// Sends a signal; nothing where it is down.
    pub async fn signal(&mut self, name: &str) -> anyhow::Result<()> {
        let Some(child) = &mut self.child else { return Ok(()) };
        let (None, Some(pid)) = (child.try_wait()?, child.id()) else { return Ok(()) };
        let status = Command::new("kill").arg(name).arg(pid.to_string()).status().await?;
        if !status.success() {
            bail!("kill {name} {pid}: {status}");
        }
        Ok(())
    }

    /// Runs the same program with other arguments to its end, and returns what it printed.
    pub async fn ask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.binary);
        command.arg("--data").arg(self.log.with_extension("tools")).args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        if !done.status.success() {
            bail!("{} {arguments:?}: {}", self.binary.display(), String::from_utf8_lossy(&done.stderr));
        }
        Ok(String::from_utf8(done.stdout)?)
    }
}
