//! Waits until a started program prints its first line or accepts connections.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::{POLL_INTERVAL, Process, START_STOP_TIMEOUT};

impl Process {
    /// Starts the program and waits for its first line on standard output; later lines are discarded.
    ///
    /// # Errors
    /// It runs already, cannot be started, or prints no line within `timeout`.
    pub async fn start_and_read_line(&mut self, timeout: Duration) -> anyhow::Result<String> {
        self.launch(true)?;
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take()).context("stdout is piped")?;
        let (sender, first) = oneshot::channel();
        // Later lines are read too, so that a full pipe never stops the program.
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if let Some(line) = lines.next() {
                let _ = sender.send(line);
            }
            lines.for_each(drop);
        });
        match tokio::time::timeout(timeout, first).await {
            Ok(Ok(line)) => Ok(line),
            _ => bail!("{} does not start; see {}: {}", self.name, self.log.display(), last_line(&self.log)),
        }
    }

    /// Waits until the program accepts connections at its address.
    ///
    /// # Errors
    /// It does not in time, or ends; with the last line of its log.
    pub async fn accepts_connections(&mut self) -> anyhow::Result<()> {
        let Self { name, address, log, child, .. } = self;
        let child = child.as_mut().with_context(|| format!("{name} is down"))?;
        let polling = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    bail!("{name} ended ({status}): {}", last_line(log));
                }
                if TcpStream::connect(&*address).await.is_ok() {
                    return Ok(());
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        let accepts = tokio::time::timeout(START_STOP_TIMEOUT, polling).await;
        accepts.with_context(|| format!("{name} does not accept connections; see {}", log.display()))?
    }
}

fn last_line(log: &Path) -> String {
    let log = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&log).lines().last().unwrap_or_default().to_owned()
}
